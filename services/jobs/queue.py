"""The worker's half of the job table: claim, renew, report, end, recover.

Whoever writes for a job names the lease token of its claim; where that is no longer the job's, nothing is
changed and `LeaseLost` says so. Leases are told by the database's clock.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, func, select, update

from services import db
from services.accounts.scope import across
from services.accounts.tables import Tenant
from services.jobs import claims
from services.jobs.claims import Claimed as Claimed
from services.jobs.errors import CancelRequested, LeaseLost
from services.jobs.retries import back_off
from services.jobs.tables import AttemptOutcome, Job, JobAttempt, JobEvent, JobState, in_state
from services.training.process.events import RunEvent

LEASE = timedelta(seconds=30)
HEARTBEAT = LEASE / 5
# How often leases that ran out are looked for: slower than heartbeats, so that a live worker is only doubted.
SWEEP = HEARTBEAT
WORKER_CRASHED = "worker_crashed"

_MOST_RECOVERED_AT_ONCE = 100
_chance = random.Random()


@dataclass(frozen=True)
class Wish:
    """What the customer asked of a running job."""

    cancel: bool
    # End the training now, and publish the best model so far.
    stop: bool


def take(connection: Connection, *, worker_id: str) -> Claimed | None:
    """Take the best waiting job of the tenant whose turn it is; None without one, or for a draining worker.

    The tenant's row is locked before its running jobs are counted, so that its limit holds exactly.
    """
    return claims.take(connection, worker_id=worker_id, token=uuid4().hex, lease=LEASE)


def renew(session: Session, claimed: Claimed) -> Wish:
    """Hold the lease for another stretch; gives what the customer wishes meanwhile.

    A lease that ran out is renewed as well, as long as no sweep has given the job back.

    Raises:
        LeaseLost: another attempt has the job, or it waits for one.
    """
    renewed = _mine(claimed).values(lease_until=db.now(session) + LEASE, lease_doubted_at=None)
    wished = renewed.returning(col(Job.cancel_requested_at), col(Job.stop_requested_at))
    return _wish(claimed, session.execute(wished).one_or_none())


def wish(session: Session, claimed: Claimed) -> Wish:
    """What the customer wishes, without renewing; reads only.

    Raises:
        LeaseLost: another attempt has the job, or it waits for one.
    """
    asked = select(Job.cancel_requested_at, Job.stop_requested_at).where(
        Job.id == claimed.job_id, Job.state == JobState.running, Job.lease_token == claimed.token
    )
    return _wish(claimed, session.execute(asked).one_or_none())


def _wish(claimed: Claimed, row: Row[tuple[datetime | None, datetime | None]] | None) -> Wish:
    if row is None:
        raise LeaseLost(claimed.job_id)
    cancel, stop = (requested_at is not None for requested_at in row)
    return Wish(cancel=cancel, stop=stop)


def report(session: Session, claimed: Claimed, events: Sequence[tuple[int, RunEvent]]) -> None:
    """Keep what the run told: (line number, event) pairs; a line told twice is kept once.

    Raises:
        LeaseLost: another attempt has the job.
    """
    if not events:
        return
    _, latest = events[-1]
    _change(
        session,
        claimed,
        _mine(claimed).values(
            phase=latest.phase,
            progress=latest.step / latest.steps if latest.steps else 0.0,
            eta_seconds=latest.eta_seconds,
        ),
    )
    rows = [
        {
            "tenant_id": claimed.tenant_id,
            "job_id": claimed.job_id,
            "attempt": claimed.attempt,
            "position": position,
            **event.model_dump(exclude={"eta_seconds"}),
        }
        for position, event in events
    ]
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(JobEvent).values(rows)
    session.exec(insert.on_conflict_do_nothing(index_elements=["job_id", "position"]))


def begin_again(session: Session, claimed: Claimed, *, device: str) -> None:
    """Forget what earlier attempts told, because this one tells its story from the start.

    Raises:
        LeaseLost: another attempt has the job.
    """
    _change(session, claimed, _mine(claimed).values(phase=None, device=device))
    session.exec(delete(JobEvent).where(col(JobEvent.job_id) == claimed.job_id))


def held(session: Session, claimed: Claimed) -> Job:
    """The job of an attempt that still holds it, as it is now.

    Raises:
        LeaseLost: another attempt has the job.
    """
    mine = across(Job).where(
        Job.id == claimed.job_id, Job.state == JobState.running, Job.lease_token == claimed.token
    )
    job = session.exec(mine.execution_options(populate_existing=True)).one_or_none()
    if job is None:
        raise LeaseLost(claimed.job_id)
    return job


def publish_first(session: Session, claimed: Claimed, *, model_version_id: str) -> None:
    """Note the Quick version of a job that goes on from it; in the transaction that publishes it.

    Raises:
        LeaseLost: another attempt has the job, or the customer has cancelled it.
    """
    unless_cancelled = _mine(claimed).where(col(Job.cancel_requested_at).is_(None))
    _change(session, claimed, unless_cancelled.values(first_version_id=model_version_id))


def finish(session: Session, claimed: Claimed, *, model_version_id: str, charged: int) -> None:
    """End the job with its model version; in the transaction that publishes and meters it.

    Raises:
        LeaseLost: another attempt has the job.
        CancelRequested: the customer was told that it is cancelled.
    """
    try:
        _end(session, claimed, JobState.succeeded, model_version_id=model_version_id, charged=charged)
    except LeaseLost:
        if held(session, claimed).cancel_requested_at is not None:
            raise CancelRequested(claimed.job_id) from None
        raise


def fail(session: Session, claimed: Claimed, *, code: str, message: str) -> None:
    """End the job with a reason that trying again would not change; costs nothing.

    Raises:
        LeaseLost: another attempt has the job.
    """
    _end(session, claimed, JobState.failed, failure_code=code, failure=message, charged=0)


def end_cancelled(session: Session, claimed: Claimed, *, charged: int) -> None:
    """End a job that its customer stopped while it ran.

    Raises:
        LeaseLost: another attempt has the job.
    """
    _end(session, claimed, JobState.cancelled, charged=charged)


def retry(session: Session, claimed: Claimed, *, code: str, message: str) -> None:
    """Give the job back after a fault of ours: queued with back-off, or failed after its last attempt.

    A job that its customer has cancelled meanwhile ends so, and costs nothing; this holds for `release` too.

    Raises:
        LeaseLost: another attempt has the job.
    """
    job = held(session, claimed)
    if job.cancel_requested_at is not None:
        end_cancelled(session, claimed, charged=0)
        return
    if job.attempt >= job.max_attempts:
        fail(session, claimed, code=code, message=message)
        return
    now = db.now(session)
    _change(session, claimed, _mine(claimed).values(**_RETURNED, run_at=now + back_off(job.attempt, _chance)))
    _close_attempt(session, claimed.token, AttemptOutcome.retried, now, code)


def release(session: Session, claimed: Claimed) -> None:
    """Give the job back unharmed, as a worker does that is told to stop; the attempt does not count.

    Raises:
        LeaseLost: another attempt has the job.
    """
    if held(session, claimed).cancel_requested_at is not None:
        end_cancelled(session, claimed, charged=0)
        return
    _change(session, claimed, _mine(claimed).values(**_RETURNED, attempt=claimed.attempt - 1))
    _close_attempt(session, claimed.token, AttemptOutcome.released, db.now(session))


def ended_by(session: Session, claimed: Claimed) -> JobState | None:
    """How this very attempt ended its job; None where it did not.

    For a worker whose commit got no answer: the job keeps the token of whoever ended it.
    """
    mine = across(Job).where(Job.id == claimed.job_id, Job.lease_token == claimed.token)
    job = session.exec(mine).one_or_none()
    return job.state if job is not None and job.state.is_final else None


def recover(session: Session) -> list[str]:
    """Give back the jobs of workers that nobody hears from, or end them; gives their ids.

    The first sweep that finds a lease run out only doubts it; a later one, a heartbeat after, takes the job
    away unless the lease was renewed in between. So a clock that jumps ahead takes no job from a live worker.
    One that jumped back would leave leases and doubts without end: those are cut to their proper length.
    """
    now = db.now(session)
    running = update(Job).where(in_state(JobState.running))
    session.exec(running.where(col(Job.lease_until) > now + LEASE).values(lease_until=now + LEASE))
    session.exec(running.where(col(Job.lease_doubted_at) > now).values(lease_doubted_at=now))
    doubted = across(Job).where(
        in_state(JobState.running),
        col(Job.lease_until) <= now,
        col(Job.lease_doubted_at) <= now - HEARTBEAT,
    )
    jobs = session.exec(doubted.with_for_update(skip_locked=True).limit(_MOST_RECOVERED_AT_ONCE)).all()
    for job in jobs:
        _close_attempt(session, job.lease_token or "", AttemptOutcome.lost, now, WORKER_CRASHED)
        _take_away(job, now)
        session.add(job)
    session.flush()
    expired = running.where(col(Job.lease_until) <= now, col(Job.lease_doubted_at).is_(None))
    session.exec(expired.values(lease_doubted_at=now))
    return [job.id for job in jobs]


def _take_away(job: Job, now: datetime) -> None:
    job.lease_until, job.lease_doubted_at, job.eta_seconds = None, None, None
    if job.cancel_requested_at is not None:
        job.state, job.finished_at, job.charged = JobState.cancelled, now, 0
    elif job.attempt >= job.max_attempts:
        job.state, job.finished_at, job.charged = JobState.failed, now, 0
        job.failure_code = WORKER_CRASHED
        job.failure = (
            f"The machine stopped answering {job.attempt} times during this job. "
            "It costs nothing; we have been told and look into it."
        )
    else:
        job.state, job.lease_token = JobState.queued, None
        job.run_at = now + back_off(job.attempt, _chance)


def virtual_time(session: Session) -> int:
    """Where the queue's turns stand: the turn of its latest claim."""
    return session.exec(select(func.max(Tenant.last_turn))).one() or 0


def _mine(claimed: Claimed) -> Update:
    return update(Job).where(
        col(Job.id) == claimed.job_id,
        col(Job.state) == JobState.running,
        col(Job.lease_token) == claimed.token,
    )


def _change(session: Session, claimed: Claimed, statement: Update) -> None:
    # Rows that this session has loaded are stale after such a statement, and are read again.
    if session.exec(statement.execution_options(synchronize_session="fetch")).rowcount != 1:
        raise LeaseLost(claimed.job_id)


_OVER: dict[str, Any] = {"lease_until": None, "lease_doubted_at": None, "eta_seconds": None}
_RETURNED: dict[str, Any] = {"state": JobState.queued, "lease_token": None, **_OVER}
_NOTHING: dict[str, Any] = dict.fromkeys(("model_version_id", "failure_code", "failure"))


def _end(session: Session, claimed: Claimed, state: JobState, **values: str | int) -> None:
    session.flush()
    ending = {"job": claimed.job_id, "token": claimed.token, "state": state.value, **_NOTHING, **values}
    if not claims.end(session.connection(), ending):
        raise LeaseLost(claimed.job_id)
    loaded = session.identity_map.get(session.identity_key(Job, claimed.job_id))
    if loaded is not None:
        session.expire(loaded)


def _close_attempt(
    session: Session, token: str, outcome: AttemptOutcome, now: datetime, code: str | None = None
) -> None:
    told = update(JobAttempt).where(col(JobAttempt.id) == token)
    session.exec(told.values(outcome=outcome, ended_at=now, failure_code=code))
