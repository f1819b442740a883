"""What became of jobs: attempts, failures by cause, quotes kept, how busy workers were; reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, or_, select

from services import db
from services.accounts.scope import Staff, StaffRole, across
from services.accounts.tables import Tenant
from services.errors import NotFound
from services.jobs import quotes, utilisation
from services.jobs.quotes import Kept, Taken
from services.jobs.tables import AttemptOutcome, Job, JobAttempt, JobEvent, JobState, Worker
from services.jobs.utilisation import Span

DAY, WEEK, MONTH = timedelta(hours=24), timedelta(days=7), timedelta(days=30)
STEP = timedelta(hours=1)
# Attempts that began longer ago have ended, whatever plan they ran under.
_LONGEST_RUN = timedelta(days=7)
# Enough for a median of every preset and task.
_MOST_RUNS = 2_000


@dataclass(frozen=True, slots=True)
class Cause:
    """A failure code and when it struck within a week, oldest first: jobs it ended, attempts it cost."""

    code: str
    failed: Sequence[datetime]
    repeated: Sequence[datetime]

    @property
    def last_at(self) -> datetime:
        """When it struck last."""
        return max([*self.failed, *self.repeated])


@dataclass(frozen=True, slots=True)
class Busy:
    """Shares of workers' time with a job, from 0 to 1, over the last 24 hours.

    `of_worker` has that of each worker id; `hours` the start of each hour with the share of all workers,
    oldest first, None where none was alive; `overall` that of all workers in all hours.
    """

    of_worker: dict[str, float]
    hours: list[tuple[datetime, float | None]]
    overall: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """One job's course: its workspace, what its latest attempt told, its attempts with their hosts."""

    job: Job
    tenant: Tenant
    events: list[JobEvent]
    attempts: list[tuple[JobAttempt, str]]


def causes(session: Session, staff: Staff) -> list[Cause]:
    """Why jobs failed and attempts were repeated in the last seven days, the most frequent first."""
    staff.require(StaffRole.admin)
    since = db.now(session) - WEEK
    jobs = across(Job).where(Job.state == JobState.failed, col(Job.finished_at) > since).subquery()
    attempts = (
        across(JobAttempt)
        .where(
            col(JobAttempt.claimed_at) > since - _LONGEST_RUN,
            col(JobAttempt.ended_at) > since,
            col(JobAttempt.outcome).in_([AttemptOutcome.retried, AttemptOutcome.lost]),
        )
        .subquery()
    )
    failed = session.exec(select(jobs.c.failure_code, jobs.c.finished_at)).all()
    repeated = session.exec(select(attempts.c.failure_code, attempts.c.ended_at)).all()
    found = [
        Cause(
            code=code,
            failed=sorted(at for other, at in failed if other == code),
            repeated=sorted(at for other, at in repeated if other == code),
        )
        for code in {code for code, _ in [*failed, *repeated]}
    ]
    return sorted(found, key=lambda cause: (-len(cause.failed) - len(cause.repeated), cause.code))


def busy(session: Session, staff: Staff) -> Busy:
    """How much of the last 24 hours workers had a job."""
    staff.require(StaffRole.admin)
    now = db.now(session)
    start = now - DAY
    lives = select(Worker).where(col(Worker.seen_at) > start)
    alive = [
        Span(worker.id, worker.started_at, worker.stopped_at or worker.seen_at)
        for worker in session.exec(lives)
    ]
    lately = across(JobAttempt).where(
        col(JobAttempt.claimed_at) > start - _LONGEST_RUN,
        or_(col(JobAttempt.ended_at).is_(None), col(JobAttempt.ended_at) > start),
    )
    worked = [
        Span(attempt.worker_id, attempt.claimed_at, attempt.ended_at or now)
        for attempt in session.exec(lately)
    ]
    shares = utilisation.by_step(worked, alive, start=start, step=STEP, steps=DAY // STEP)
    return Busy(
        of_worker=utilisation.by_worker(worked, alive, start=start, end=now),
        hours=[(start + number * STEP, share) for number, share in enumerate(shares)],
        overall=utilisation.by_step(worked, alive, start=start, step=DAY, steps=1)[0],
    )


def quotes_kept(session: Session, staff: Staff) -> list[Kept]:
    """How quotes were kept by the runs of the last 30 days that made a model.

    Runs that were interrupted or that their customer ended early are left out: they say nothing of a quote.
    """
    staff.require(StaffRole.admin)
    return quotes.kept(_taken(session, db.now(session) - MONTH))


def _taken(session: Session, since: datetime) -> Iterator[Taken]:
    lately = across(JobAttempt).where(col(JobAttempt.claimed_at) > since - _LONGEST_RUN).subquery()
    at_once = select(lately.c.job_id).group_by(lately.c.job_id).having(func.count() == 1)
    ended = across(Job).where(
        Job.state == JobState.succeeded,
        col(Job.finished_at) > since,
        col(Job.stop_requested_at).is_(None),
        col(Job.id).in_(at_once),
    )
    tenants = dict(session.exec(select(Tenant.id, Tenant.name)).all())
    for job in session.exec(ended.order_by(col(Job.id).desc()).limit(_MOST_RUNS)):
        if job.started_at and job.finished_at:
            yield Taken(
                job_id=job.id,
                model=job.model_name,
                tenant=tenants[job.tenant_id],
                preset=job.recipe["preset"],
                task=job.recipe["task"],
                quoted=job.quoted_seconds_high,
                seconds=(job.finished_at - job.started_at).total_seconds(),
            )


def course(session: Session, staff: Staff, *, job_id: str) -> Course:
    """What became of one job, whosever it is.

    Raises:
        NotFound: there is none with this id.
    """
    staff.require(StaffRole.admin)
    job = session.exec(across(Job).where(Job.id == job_id)).one_or_none()
    if job is None:
        raise NotFound("job")
    events = across(JobEvent).where(JobEvent.job_id == job_id).order_by(col(JobEvent.position))
    attempts = across(JobAttempt).where(JobAttempt.job_id == job_id).order_by(col(JobAttempt.claimed_at))
    tries = session.exec(attempts).all()
    known = select(Worker.id, Worker.host).where(col(Worker.id).in_([one.worker_id for one in tries]))
    hosts = dict(session.exec(known).all())
    return Course(
        job=job,
        tenant=session.get_one(Tenant, job.tenant_id),
        events=list(session.exec(events)),
        attempts=[(one, hosts.get(one.worker_id, "")) for one in tries],
    )


def attempt(session: Session, token: str) -> JobAttempt:
    """The attempt whose claim gave this lease token."""
    return session.exec(across(JobAttempt).where(JobAttempt.id == token)).one()
