"""A trigger that notes every change of a job's state, and the tables as the checker reads them."""

from collections import Counter
from datetime import datetime

from sqlalchemy import text
from sqlmodel import select

from services.accounts.scope import across
from services.accounts.tables import Tenant
from services.db import reading, transaction
from services.jobs.tables import Job, JobAttempt
from services.metering.tables import UsageEvent
from services.registry.tables import ModelVersion
from tests.faults.history import AttemptRow, Change, Final, JobRow

_TABLE = """
    CREATE TABLE job_change (
        position {serial}, job_id TEXT, tenant_id TEXT, before TEXT, after TEXT, token TEXT
    )
"""
_INSERT = """
    INSERT INTO job_change (job_id, tenant_id, before, after, token)
    VALUES (NEW.id, NEW.tenant_id, OLD.state, NEW.state, coalesce(OLD.lease_token, NEW.lease_token));
"""
_SQLITE = (
    _TABLE.format(serial="INTEGER PRIMARY KEY AUTOINCREMENT"),
    f"""
    CREATE TRIGGER job_changed AFTER UPDATE OF state ON job WHEN OLD.state <> NEW.state
    BEGIN {_INSERT} END
    """,
)
_POSTGRES = (
    _TABLE.format(serial="BIGSERIAL PRIMARY KEY"),
    f"""
    CREATE FUNCTION job_changed() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN {_INSERT} RETURN NEW; END $$
    """,
    """
    CREATE TRIGGER job_changed AFTER UPDATE ON job FOR EACH ROW WHEN (OLD.state <> NEW.state)
    EXECUTE FUNCTION job_changed()
    """,
)


def install() -> None:
    """Begin to note the changes of state in the settings' database."""
    with transaction() as session:
        for statement in _SQLITE if session.get_bind().dialect.name == "sqlite" else _POSTGRES:
            session.execute(text(statement))


def final() -> Final:
    """All that the settings' database says of its jobs."""
    with reading() as session:
        changes = session.execute(
            text("SELECT job_id, tenant_id, before, after, token FROM job_change ORDER BY position")
        )
        usage = session.exec(across(UsageEvent).where(UsageEvent.meter == "training_seconds"))
        return Final(
            jobs=[_job(job) for job in session.exec(across(Job))],
            attempts=[_attempt(attempt) for attempt in session.exec(across(JobAttempt))],
            changes=[Change(*row) for row in changes],
            metered=Counter(str(event.job_id) for event in usage),
            versions=Counter(version.job_id for version in session.exec(across(ModelVersion))),
            limits=dict(session.exec(select(Tenant.id, Tenant.running_job_limit)).all()),
        )


def _job(job: Job) -> JobRow:
    return JobRow(
        id=job.id,
        tenant_id=job.tenant_id,
        key=job.idempotency_key,
        state=job.state.value,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        model_version_id=job.model_version_id,
        failure_code=job.failure_code,
    )


def _attempt(attempt: JobAttempt) -> AttemptRow:
    return AttemptRow(
        job_id=attempt.job_id,
        token=attempt.id,
        outcome=attempt.outcome,
        claimed_at=attempt.claimed_at.timestamp(),
        ended_at=_seconds(attempt.ended_at),
    )


def _seconds(instant: datetime | None) -> float | None:
    return None if instant is None else instant.timestamp()
