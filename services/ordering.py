"""Ordering a job: how long it takes, what it costs at most, whether the credit covers it, then the queue."""

from dataclasses import dataclass
from decimal import Decimal

from sqlmodel import Session

from services.accounts import service as accounts
from services.accounts.scope import Member, Role
from services.billing import service as billing
from services.billing.budgets import require_funds
from services.billing.money import MICROS, Money
from services.datasets import service as datasets
from services.datasets.tables import DatasetVersion
from services.jobs import service as jobs
from services.jobs import workers
from services.jobs.service import Quoted
from services.jobs.tables import Job
from services.registry import service as registry
from services.training.bases import catalogue
from services.training.quoting import quote
from services.training.quoting.lengths import AMOUNTS, Amount, guessed
from services.training.recipe import Recipe, Task, TaskNotTrainable

# What any amount pays for where training costs nothing.
_FREE_SECONDS = 3_600


@dataclass(frozen=True)
class Offer:
    """What the customer is told before the start; nothing beyond the high figures is ever billed."""

    seconds_low: int
    seconds_high: int
    low: Money
    high: Money
    # cpu or cuda: what the quote counts on.
    device_class: str
    # Whether its workers have measured how fast they are, or the figures that we ship had to do.
    measured: bool = False

    def seconds_for(self, amount: Decimal) -> int:
        """Whole seconds that an amount of the offer's currency pays for, at the offer's own price."""
        price = self.high.micros
        return int(amount * MICROS * self.seconds_high / price) if price else _FREE_SECONDS


def offer(session: Session, member: Member, *, dataset_version_id: str, recipe: Recipe) -> Offer:
    """Price and time of training on a data set version.

    Raises:
        NotFound: no such data set version in this workspace, or none to get used to.
        DatasetDeleted: its data is gone.
        TaskNotTrainable: no run learns the recipe's task yet.
        BaseModelUnknown, BaseModelCannot, BaseModelReadsLess: the recipe names a base model that is not there
            or cannot do it.
    """
    if not recipe.task.trainable:
        raise TaskNotTrainable(recipe.task)
    version = datasets.get_version(session, member, version_id=dataset_version_id)
    datasets.require_data(session, member, dataset_id=version.dataset_id)
    catalogue.require(recipe)
    familiar = None
    if recipe.familiarising_on:
        other = datasets.get_version(session, member, version_id=recipe.familiarising_on)
        datasets.require_data(session, member, dataset_id=other.dataset_id)
        familiar = _amounts(other)
    device_class = workers.fastest_device(session)
    speeds = workers.speeds(session, device_class)
    estimate = quote.estimate(
        recipe,
        amounts=_amounts(version),
        labels=len(version.labels),
        device_class=device_class,
        speeds=speeds,
        familiar=familiar,
    )
    quoted = billing.quote(
        session,
        member,
        seconds_low=estimate.seconds_low,
        seconds_high=estimate.seconds_high,
        device_class=device_class,
    )
    measured = bool(speeds) and (recipe.task is not Task.chat or all(speed.chat for speed in speeds))
    return Offer(
        quoted.seconds_low, quoted.seconds_high, quoted.low, quoted.high, device_class, measured=measured
    )


def _amounts(version: DatasetVersion) -> dict[str, Amount]:
    return AMOUNTS.validate_python(version.tokens or {}) or guessed(
        version.splits, version.characters, chat=version.task == Task.chat
    )


def order(
    session: Session,
    member: Member,
    *,
    dataset_version_id: str,
    recipe: Recipe,
    model_name: str,
    key: str,
) -> Job:
    """Queue a fine-tuning job at the price offered; the same idempotency key returns the job it made before.

    Raises:
        NotFound: no such data set version in this workspace.
        RoleMissing: the member may not start jobs.
        WorkspaceSuspended: nothing may be started in the workspace.
        BadModelName, ModelTaskChanged: the model cannot be published under this name.
        CreditSpent, BudgetReached: what is free of a trial's credit or of the budget does not cover it.
        JobQuotaReached, TaskMismatch, KeyReused: as `jobs.submit` says.
    """
    member.require(Role.editor)
    accounts.lock_tenant(session, member)
    if jobs.by_key(session, member, key) is None:
        registry.check_name(session, member, name=model_name, task=recipe.task)
        open_jobs = jobs.open_jobs(session, member)
        offered = offer(session, member, dataset_version_id=dataset_version_id, recipe=recipe)
        reserved = Money(sum(job.quoted_high for job in open_jobs), offered.high.currency)
        require_funds(session, member, needed=offered.high, reserved=reserved)
    else:
        offered = offer(session, member, dataset_version_id=dataset_version_id, recipe=recipe)
    return jobs.submit(
        session,
        member,
        dataset_version_id=dataset_version_id,
        recipe=recipe,
        model_name=model_name,
        quoted=Quoted(
            seconds_low=offered.seconds_low,
            seconds_high=offered.seconds_high,
            low=offered.low.micros,
            high=offered.high.micros,
            device_class=offered.device_class,
        ),
        key=key,
    )
