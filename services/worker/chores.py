"""What workers do beside jobs: give back what nobody holds, forget what is past, close the months."""

import logging
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from services import clock, storage
from services.accounts import service as accounts
from services.accounts import sign_ins
from services.accounts.scope import Member, Role
from services.accounts.tables import Tenant
from services.billing import closers
from services.billing.period import Month
from services.billing.runs import Step
from services.datasets import files, uncounted
from services.datasets import retention as uploads
from services.db import reading, transaction
from services.errors import NotFound
from services.jobs import chores, queue, retention
from services.jobs.chores import Taken
from services.registry import service as registry
from services.training.recipe import Task
from services.worker import bookkeeping, keeping, posting, telling
from services.worker.first import first_of
from services.worker.trouble import Trouble

log = logging.getLogger(__name__)

# How often a worker looks for chores. Together with the pace of `recover` it bounds how long a dead worker's
# job waits: its lease, and twice the sum of the two.
LOOK_SECONDS = 1.5


@dataclass(frozen=True)
class _Chore:
    every: timedelta
    do: Callable[[], None]


def run(stop: threading.Event) -> None:
    """Do whatever is due, until `stop` is set; one chore at a time, any number of workers."""
    trouble = Trouble("the chores")
    while not stop.wait(LOOK_SECONDS * (0.5 + random.random() / 2)):
        try:
            with reading() as session:
                due = chores.due(session, CHORES)
            for name in due:
                _do(name)
        except SQLAlchemyError:
            trouble.wait(stop)
        else:
            trouble.over()


def _do(name: str) -> None:
    with transaction() as session:
        taken: Taken | None = chores.take(session, name, every=CHORES[name].every)
    if taken is None:
        return
    failure = None
    try:
        CHORES[name].do()
    except SQLAlchemyError:
        raise
    except Exception as error:
        # A broken chore must not stop the others; the operator sees it, and it comes round again.
        log.exception("the chore %s broke", name)
        failure = repr(error)
    with transaction() as session:
        chores.done(session, taken, failure=failure)


def recover() -> None:
    """Give back the jobs of workers that nobody hears from any more."""
    with transaction() as session:
        recovered = queue.recover(session)
    for job_id in recovered:
        log.warning("job %s was recovered from a lost worker", job_id)


def prune() -> None:
    """Forget what nobody looks at any more: ended sign-ins, workers long gone, curves of old jobs."""
    with transaction() as session:
        sign_ins.prune(session)
        retention.prune_workers(session)
    while True:
        with transaction() as session:
            if not retention.prune_events(session):
                return


def sweep() -> None:
    """Delete what lost attempts had stored and never published, and what was kept of runs that are over."""
    with reading() as session:
        lost = retention.lost_attempts(session)
        over = retention.over_lately(session)
    for tenant_id, job_id in over:
        keeping.forget(tenant_id, job_id)
    for attempt in lost:
        storage.delete(registry.prefix_of(attempt.tenant_id, attempt.job_id, attempt.id))
        first = registry.prefix_of(attempt.tenant_id, attempt.job_id, first_of(attempt.id))
        owner = Member(tenant_id=attempt.tenant_id, role=Role.owner)
        with reading() as session:
            # An attempt may have published its Quick model before it was lost.
            named = registry.is_named(session, owner, prefix=first)
        if not named:
            storage.delete(first)


def expire_uploads() -> None:
    """Forget uploads in parts that nobody went on with, and delete what is here of them."""
    with transaction() as session:
        prefixes = uploads.forget_expired(session)
    for prefix in prefixes:
        storage.delete(prefix)


def count_tokens() -> None:
    """Count the tokens of data set versions where nobody has, by what tokenizers are here, for quotes."""
    # None is fetched: other chores would have to wait for it.
    tasks = [task for task in Task if files.counts(task)]
    with reading() as session:
        versions = uncounted.waiting(session, tasks=tasks)
    for version in versions:
        tokens = files.counted(version)
        owner = Member(tenant_id=version.tenant_id, role=Role.owner)
        with suppress(NotFound), transaction() as session:
            uncounted.keep(session, owner, version_id=version.id, tokens=tokens)


def close_months() -> None:
    """Finalise every workspace's invoices of the two months that are over; who cannot be billed is parked.

    Two, so that no month is left out when there was no worker at its end, or when a workspace was parked.
    """
    # Midnight comes to each workspace in its own time zone.
    over = [(one, Month.of(clock.now(), one.time_zone).previous) for one in _workspaces()]
    # The earlier one first: what it leaves is carried over.
    for months in ([(one, last.previous) for one, last in over], over):
        for (workspace, month), ended in zip(months, closers.close_all(months), strict=True):
            if ended.step is Step.parked:
                log.error("workspace %s is not billed for %s: %s", workspace.id, month, ended.findings[0])


def tell_of_budgets() -> None:
    """Tell workspaces that their month has reached a threshold of their budget."""
    for workspace in _workspaces():
        telling.tell_of_budgets(Member(tenant_id=workspace.id, role=Role.owner))


def send_invoices() -> None:
    """Send finalised invoices to those who want them by e-mail."""
    for workspace in _workspaces():
        posting.send_documents(Member(tenant_id=workspace.id, role=Role.owner))


def remind() -> None:
    """Remind workspaces of invoices that are overdue."""
    for workspace in _workspaces():
        telling.remind(Member(tenant_id=workspace.id, role=Role.owner))


def _workspaces() -> list[Tenant]:
    with reading() as session:
        return accounts.all_tenants(session)


CHORES = {
    "recover": _Chore(queue.SWEEP, recover),
    "prune": _Chore(timedelta(hours=1), prune),
    "sweep": _Chore(timedelta(hours=1), sweep),
    "expire_uploads": _Chore(timedelta(hours=1), expire_uploads),
    "count_tokens": _Chore(timedelta(seconds=20), count_tokens),
    "close_months": _Chore(timedelta(hours=6), close_months),
    "tell_of_budgets": _Chore(timedelta(minutes=1), tell_of_budgets),
    "send_invoices": _Chore(timedelta(minutes=5), send_invoices),
    "remind": _Chore(timedelta(hours=6), remind),
    "roll_up": _Chore(timedelta(seconds=20), bookkeeping.roll_up),
    "compare_hours": _Chore(timedelta(hours=1), bookkeeping.compare),
    "seal": _Chore(timedelta(minutes=1), bookkeeping.seal),
    "count_storage": _Chore(timedelta(hours=1), bookkeeping.count_storage),
}
