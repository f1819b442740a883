"""Questions of our own staff across all workspaces; they read and never write."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session, col, func, select

from services import clock
from services.accounts.scope import Member, Role, Staff, StaffRole, across
from services.accounts.tables import Tenant
from services.billing import credits as trial
from services.billing.drafting import draft_month
from services.billing.money import Money, by_currency
from services.billing.period import Month
from services.jobs import workers
from services.jobs.tables import Job, JobState, Worker
from services.metering.meters import PREDICTIONS, TRAINING_SECONDS
from services.metering.tables import UsageEvent

# Workers that fell silent longer ago are history, not news.
_SILENT_NEWS = timedelta(days=1)
FAILURE_NEWS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class TenantReport:
    """How one workspace stands this month, in its own calendar; amounts before tax.

    `earned` is what credits leave of the `spend`; `credit` is what a trial still has, None where none runs.
    """

    tenant: Tenant
    predictions: Decimal
    training_seconds: Decimal
    spend: Money
    earned: Money
    credit: Money | None
    waiting: int
    running: int
    last_use: datetime | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """The queue and the workers at this moment; `silent` workers ended without saying so in the last day."""

    waiting: list[Job]
    running: list[Job]
    alive: list[Worker]
    silent: list[Worker]

    def longest_wait(self, now: datetime) -> timedelta:
        """How long the job that is due longest has waited; zero where none waits."""
        return max((now - job.run_at for job in self.waiting), default=timedelta())


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that failed, and whose it was."""

    job: Job
    tenant: str


def tenants(session: Session, staff: Staff) -> list[TenantReport]:
    """Every workspace, those that earn most first."""
    staff.require(StaffRole.admin)
    open_jobs = Counter((job.tenant_id, job.state) for job in _open_jobs(session))
    last_uses = _last_uses(session)
    reports = [
        _tenant(session, tenant, open_jobs, last_uses.get(tenant.id))
        for tenant in session.exec(select(Tenant).order_by(Tenant.name))
    ]
    return sorted(reports, key=lambda report: -report.earned.micros)


def revenue(reports: list[TenantReport]) -> list[Money]:
    """What this month has earned so far, before tax, in each currency."""
    return by_currency(report.earned for report in reports)


def use(reports: list[TenantReport]) -> list[Money]:
    """What this month's use comes to so far, before credits and tax, in each currency."""
    return by_currency(report.spend for report in reports)


def fleet(session: Session, staff: Staff) -> Fleet:
    """What waits and runs, oldest first, and who is there to do it."""
    staff.require(StaffRole.admin)
    jobs = _open_jobs(session)
    alive = workers.alive(session)
    known = {worker.id for worker in alive}
    lately = select(Worker).where(
        col(Worker.stopped_at).is_(None), col(Worker.seen_at) > clock.now() - _SILENT_NEWS
    )
    return Fleet(
        waiting=[job for job in jobs if job.state is JobState.queued],
        running=[job for job in jobs if job.state is JobState.running],
        alive=alive,
        silent=[worker for worker in session.exec(lately.order_by(col(Worker.id))) if worker.id not in known],
    )


def failures(session: Session, staff: Staff) -> list[Failure]:
    """Jobs that failed in the last 24 hours, newest first."""
    staff.require(StaffRole.admin)
    names = {tenant.id: tenant.name for tenant in session.exec(select(Tenant))}
    failed = across(Job).where(
        Job.state == JobState.failed, col(Job.finished_at) > clock.now() - FAILURE_NEWS
    )
    found = session.exec(failed.order_by(col(Job.finished_at).desc()))
    return [Failure(job, names[job.tenant_id]) for job in found]


def _tenant(
    session: Session, tenant: Tenant, open_jobs: Counter[tuple[str, JobState]], last_use: datetime | None
) -> TenantReport:
    # Rating is asked as the workspace's own owner would ask it: one set of figures, whoever looks.
    owner = Member(tenant_id=tenant.id, role=Role.owner)
    month = Month.of(clock.now(), tenant.time_zone)
    draft = draft_month(session, owner, month)
    used = {
        meter: sum((line.quantity for line in draft.lines if line.meter == meter), Decimal(0))
        for meter in (PREDICTIONS.name, TRAINING_SECONDS.name)
    }
    return TenantReport(
        tenant=tenant,
        predictions=used[PREDICTIONS.name],
        training_seconds=used[TRAINING_SECONDS.name],
        spend=draft.subtotal,
        earned=draft.subtotal - draft.credit,
        credit=trial.credit_left(session, owner) if trial.on_trial(session, owner) else None,
        waiting=open_jobs[tenant.id, JobState.queued],
        running=open_jobs[tenant.id, JobState.running],
        last_use=last_use,
    )


def _open_jobs(session: Session) -> list[Job]:
    is_open = across(Job).where(col(Job.state).in_([JobState.queued, JobState.running]))
    return list(session.exec(is_open.order_by(col(Job.run_at), col(Job.id))))


def _last_uses(session: Session) -> dict[str, datetime]:
    latest = select(UsageEvent.tenant_id, func.max(UsageEvent.at)).group_by(UsageEvent.tenant_id)
    return dict(session.exec(latest).all())
