"""What became of jobs: attempts, failures by cause, and how busy workers were; reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, or_, select

from services import db
from services.accounts.scope import Staff, StaffRole, across
from services.jobs import utilisation
from services.jobs.tables import AttemptOutcome, Job, JobAttempt, JobState, Worker
from services.jobs.utilisation import Span

DAY, WEEK = timedelta(hours=24), timedelta(days=7)
STEP = timedelta(hours=1)
# Attempts that began longer ago have ended, whatever plan they ran under.
_LONGEST_RUN = timedelta(days=7)


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


def attempt(session: Session, token: str) -> JobAttempt:
    """The attempt whose claim gave this lease token."""
    return session.exec(across(JobAttempt).where(JobAttempt.id == token)).one()
