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

from sqlalchemy import Update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, func, select, update

from services import db
from services.accounts.scope import Member, Role, across
from services.accounts.tables import Tenant
from services.jobs import fairness
from services.jobs.errors import CancelRequested, LeaseLost
from services.jobs.retries import back_off
from services.jobs.tables import Job, JobEvent, JobState
from services.training.events import RunEvent
from services.training.recipe import Recipe

LEASE = timedelta(seconds=30)
HEARTBEAT = LEASE / 5
WORKER_CRASHED = "worker_crashed"

_chance = random.Random()


@dataclass(frozen=True)
class Claimed:
    """One attempt of a job, and the token that proves it."""

    job_id: str
    tenant_id: str
    token: str
    attempt: int
    dataset_version_id: str
    recipe: Recipe
    model_name: str
    quoted_seconds_high: int
    max_runtime_seconds: int

    @property
    def member(self) -> Member:
        """The tenant's side of what this attempt writes."""
        return Member(tenant_id=self.tenant_id, role=Role.owner)


def claim(session: Session, *, worker_id: str) -> Claimed | None:
    """Take the best waiting job of the tenant that was served longest ago, or None.

    The tenant's row is locked before its running jobs are counted, so that its limit holds exactly.
    """
    now = db.now(session)
    for tenant_id in _tenants_in_turn(session, now):
        statement = (
            select(Tenant).where(Tenant.id == tenant_id).with_for_update(skip_locked=True, key_share=True)
        )
        tenant = session.exec(statement.execution_options(populate_existing=True)).one_or_none()
        if tenant is None or tenant.suspended_at is not None:
            continue
        if _running(session, now).get(tenant_id, 0) >= tenant.running_job_limit:
            continue
        waiting = across(Job).where(
            Job.tenant_id == tenant_id, Job.state == JobState.queued, Job.run_at <= now
        )
        statement_for_job = waiting.order_by(col(Job.priority), col(Job.run_at), col(Job.id)).limit(1)
        job = session.exec(
            statement_for_job.with_for_update(skip_locked=True).execution_options(populate_existing=True)
        ).one_or_none()
        if job is None:
            continue

        job.state = JobState.running
        job.attempt += 1
        job.lease_token = uuid4().hex
        job.lease_until = now + LEASE
        job.worker_boot_id = worker_id
        job.started_at = now
        job.phase, job.progress, job.eta_seconds = None, 0.0, None
        tenant.last_claim_at = now
        session.add_all([job, tenant])
        session.flush()
        return Claimed(
            job_id=job.id,
            tenant_id=tenant_id,
            token=job.lease_token,
            attempt=job.attempt,
            dataset_version_id=job.dataset_version_id,
            recipe=Recipe.model_validate(job.recipe),
            model_name=job.model_name,
            quoted_seconds_high=job.quoted_seconds_high,
            max_runtime_seconds=job.max_runtime_seconds,
        )
    return None


def renew(session: Session, claimed: Claimed) -> bool:
    """Hold the lease for another stretch; gives whether the customer wants the job cancelled.

    Raises:
        LeaseLost: it ran out, or another attempt has it.
    """
    now = db.now(session)
    # A lease that ran out stays lost even where nobody took it: its place may have been given away.
    statement = _mine(claimed).where(col(Job.lease_until) > now).values(lease_until=now + LEASE)
    _change(session, claimed, statement)
    requested = across(Job).where(Job.id == claimed.job_id, col(Job.cancel_requested_at).is_not(None))
    return session.exec(requested).one_or_none() is not None


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
    """The job of an attempt that still holds it.

    Raises:
        LeaseLost: another attempt has the job.
    """
    job = session.exec(
        across(Job).where(Job.id == claimed.job_id, Job.lease_token == claimed.token)
    ).one_or_none()
    if job is None:
        raise LeaseLost(claimed.job_id)
    return job


def finish(session: Session, claimed: Claimed, *, model_version_id: str, charged: int) -> None:
    """End the job with its model version; in the transaction that publishes and meters it.

    Raises:
        LeaseLost: another attempt has the job.
        CancelRequested: the customer was told that it is cancelled.
    """
    statement = _mine(claimed).where(col(Job.cancel_requested_at).is_(None))
    try:
        _end(
            session,
            claimed,
            JobState.succeeded,
            statement,
            model_version_id=model_version_id,
            charged=charged,
        )
    except LeaseLost:
        if held(session, claimed).cancel_requested_at is not None:
            raise CancelRequested(claimed.job_id) from None
        raise


def fail(session: Session, claimed: Claimed, *, code: str, message: str) -> None:
    """End the job with a reason that trying again would not change; costs nothing.

    Raises:
        LeaseLost: another attempt has the job.
    """
    _end(session, claimed, JobState.failed, _mine(claimed), failure_code=code, failure=message, charged=0)


def end_cancelled(session: Session, claimed: Claimed, *, charged: int) -> None:
    """End a job that its customer stopped while it ran.

    Raises:
        LeaseLost: another attempt has the job.
    """
    _end(session, claimed, JobState.cancelled, _mine(claimed), charged=charged)


def retry(session: Session, claimed: Claimed, *, code: str, message: str) -> None:
    """Give the job back after a fault of ours: queued with back-off, or failed after its last attempt.

    Raises:
        LeaseLost: another attempt has the job.
    """
    job = held(session, claimed)
    if job.attempt >= job.max_attempts:
        fail(session, claimed, code=code, message=message)
        return
    values = {"run_at": db.now(session) + back_off(job.attempt, _chance)}
    _change(session, claimed, _mine(claimed).values(**_returned(), **values))


def release(session: Session, claimed: Claimed) -> None:
    """Give the job back unharmed, as a worker does that is told to stop; the attempt does not count.

    Raises:
        LeaseLost: another attempt has the job.
    """
    _change(session, claimed, _mine(claimed).values(**_returned(), attempt=claimed.attempt - 1))


def recover(session: Session) -> list[str]:
    """Return jobs whose lease ran out to the queue, or end them; gives their ids. Any worker does it."""
    now = db.now(session)
    expired = across(Job).where(Job.state == JobState.running, col(Job.lease_until) <= now)
    jobs = session.exec(expired.with_for_update(skip_locked=True).limit(100)).all()
    for job in jobs:
        job.lease_token, job.lease_until = None, None
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
            job.state = JobState.queued
            job.run_at = now + back_off(job.attempt, _chance)
        session.add(job)
    session.flush()
    return [job.id for job in jobs]


def _tenants_in_turn(session: Session, now: datetime) -> list[str]:
    waiting = (
        select(Tenant.id, Tenant.last_claim_at, Tenant.running_job_limit)
        .where(
            across(Job)
            .where(Job.tenant_id == Tenant.id, Job.state == JobState.queued, Job.run_at <= now)
            .exists(),
            col(Tenant.suspended_at).is_(None),
        )
        .order_by(Tenant.id)
    )
    running = _running(session, now)
    return fairness.in_turn(
        fairness.Waiting(tenant_id, last_claim_at, running.get(tenant_id, 0), limit)
        for tenant_id, last_claim_at, limit in session.exec(waiting)
    )


def _running(session: Session, now: datetime) -> dict[str, int]:
    # Counted from unexpired leases: there is no counter that a crash could leave behind.
    alive = across(Job).where(Job.state == JobState.running, col(Job.lease_until) > now).subquery()
    counted = select(alive.c.tenant_id, func.count()).group_by(alive.c.tenant_id)
    return dict(session.exec(counted).all())


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


def _end(session: Session, claimed: Claimed, state: JobState, statement: Update, **values: Any) -> None:
    over = {"state": state, "finished_at": db.now(session), "lease_token": None, "lease_until": None}
    _change(session, claimed, statement.values(**over, eta_seconds=None, **values))


def _returned() -> dict[str, Any]:
    return {"state": JobState.queued, "lease_token": None, "lease_until": None, "eta_seconds": None}
