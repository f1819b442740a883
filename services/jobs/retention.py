"""How long the queue remembers what no customer and no invoice needs."""

from datetime import timedelta

from sqlmodel import Session, col, delete, select

from services import db, ids
from services.accounts.scope import across
from services.jobs.tables import AttemptOutcome, Job, JobAttempt, JobEvent, Worker

# The curves of a job's page; its report stays with the model.
KEEP_EVENTS = timedelta(days=180)
KEEP_WORKERS = timedelta(days=30)
# Long after a lost attempt's worker must have noticed, and long enough for a few sweeps to fail.
_SWEPT_AFTER = timedelta(hours=1)
_SWEPT_UNTIL = timedelta(days=7)
# On SQLite nobody else writes meanwhile: a few milliseconds.
_EVENTS_AT_ONCE = 500
# Several rounds of the chore, so that one may fail.
_OVER_UNTIL = timedelta(hours=4)


def prune_events(session: Session) -> int:
    """Forget the curves of jobs that ended long ago, a piece at a time; gives how many rows went."""
    before = db.now(session) - KEEP_EVENTS
    # Ids are in order of time, so that only curves old enough are read, the oldest first, and none of the
    # jobs whose curves went long ago.
    told = across(JobEvent).join(Job, col(Job.id) == JobEvent.job_id)
    old = told.where(col(JobEvent.job_id) < ids.since("job", before), col(Job.finished_at) < before)
    oldest = old.order_by(col(JobEvent.job_id), col(JobEvent.position)).limit(_EVENTS_AT_ONCE)
    found = session.scalars(oldest.with_only_columns(col(JobEvent.id))).all()
    return session.exec(delete(JobEvent).where(col(JobEvent.id).in_(found))).rowcount


def prune_workers(session: Session) -> int:
    """Forget workers that were last heard from long ago; gives how many."""
    before = db.now(session) - KEEP_WORKERS
    return session.exec(delete(Worker).where(col(Worker.seen_at) < before)).rowcount


def lost_attempts(session: Session) -> list[JobAttempt]:
    """Attempts that ended without a word, and may have left files that no model names."""
    now = db.now(session)
    lost = across(JobAttempt).where(
        JobAttempt.outcome == AttemptOutcome.lost,
        col(JobAttempt.ended_at).between(now - _SWEPT_UNTIL, now - _SWEPT_AFTER),
    )
    return list(session.exec(lost))


def over_lately(session: Session) -> list[tuple[str, str]]:
    """Tenant and id of jobs that ended some hours ago, by whomever: what was kept for them nobody needs."""
    now = db.now(session)
    ended = select(Job.tenant_id, Job.id).where(
        col(Job.finished_at).between(now - _OVER_UNTIL, now - _SWEPT_AFTER)
    )
    return list(session.exec(ended).all())
