"""The job table, what attempts told of themselves, and the workers."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ForeignKeyConstraint, Index, UniqueConstraint, column, literal_column
from sqlmodel import Field, SQLModel, col

from services import clock, ids
from services.accounts.scope import TenantOwned, one_per_tenant
from services.db import Json, UtcDateTime, one_of


class JobState(StrEnum):
    """Where a job stands; the last three are final."""

    queued = "queued"  # waits for a worker, or for its next attempt
    running = "running"  # a worker holds its lease
    succeeded = "succeeded"  # there is a model version
    failed = "failed"  # `failure` says why
    cancelled = "cancelled"  # the customer stopped it

    @property
    def is_final(self) -> bool:
        """Will this state never change again?"""
        return self in {JobState.succeeded, JobState.failed, JobState.cancelled}


class Job(TenantOwned, table=True):
    """One request for work, from the queue to its result.

    Triggers of the database refuse every change of state but those of `JobState`, whoever asks for them.
    """

    __table_args__ = (
        one_per_tenant("id"),
        one_per_tenant("idempotency_key"),
        ForeignKeyConstraint(
            ["tenant_id", "dataset_version_id"], ["dataset_version.tenant_id", "dataset_version.id"]
        ),
        Index(
            "ix_job_waiting",
            "tenant_id",
            "priority",
            "run_at",
            "id",
            sqlite_where=column("state") == "queued",
            postgresql_where=column("state") == "queued",
        ),
        Index(
            "ix_job_running",
            "tenant_id",
            sqlite_where=column("state") == "running",
            postgresql_where=column("state") == "running",
        ),
    )

    # Other indexes begin with it; each one more is paid for at every change of state.
    tenant_id: str = Field(foreign_key="tenant.id")
    id: str = Field(default_factory=lambda: ids.new("job"), primary_key=True)
    kind: str = "fine-tune"
    state: JobState = Field(default=JobState.queued, sa_type=one_of(JobState))
    # Lower is sooner, within a tenant only.
    priority: int = 100
    run_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    attempt: int = 0
    max_attempts: int = 3
    # New at every claim. Whoever writes for this job must still hold it; a job that is over keeps the token
    # of the attempt that ended it, so that a worker whose commit went unanswered can ask if it was heard.
    lease_token: str | None = None
    # By the database's clock; set while the job runs, and only then.
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # A sweep found the lease run out; the next one gives the job back, unless its worker renews in between.
    lease_doubted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # New at every start of a worker process.
    worker_boot_id: str | None = None
    max_runtime_seconds: int = 6 * 3600
    cancel_requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # The customer wants training to end now and the best model so far to be published.
    stop_requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    idempotency_key: str
    failure_code: str | None = None
    failure: str | None = None

    dataset_version_id: str
    recipe: dict[str, Any] = Field(sa_type=Json)
    # The name of the model whose next version this job makes.
    model_name: str
    model_version_id: str | None = None
    # The Quick model that was published while the job went on from it.
    first_version_id: str | None = None
    # The quote: seconds and micro-units of the tenant's currency. Nothing beyond the high figure is billed.
    quoted_seconds_low: int
    quoted_seconds_high: int
    quoted_low: int
    quoted_high: int
    quoted_device_class: str
    # What was billed in the end, in micro-units.
    charged: int | None = None

    # The latest word of the running attempt.
    phase: str | None = None
    progress: float = 0.0
    eta_seconds: float | None = None
    device: str | None = None

    # Who asked: a person or an API key.
    user_id: str | None = None
    key_id: str | None = None
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def in_state(state: JobState) -> ColumnElement[bool]:
    """Is a job in this state? Written out in the statement, or no partial index could serve it."""
    return col(Job.state) == literal_column(f"'{state.value}'")


class AttemptOutcome(StrEnum):
    """How an attempt ended."""

    succeeded = "succeeded"
    failed = "failed"  # for a reason that trying again would not change, or for the last time
    cancelled = "cancelled"
    retried = "retried"  # a fault of ours; the job waits for its next attempt
    released = "released"  # the worker was told to stop; does not count
    lost = "lost"  # nobody heard from its worker any more


class JobAttempt(TenantOwned, table=True):
    """One try at a job: who made it, how long it took and how it ended."""

    __tablename__ = "job_attempt"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "job_id"], ["job.tenant_id", "job.id"], ondelete="CASCADE"),
        Index("ix_job_attempt_job", "job_id"),
    )

    # Its job's, which the key to it makes sure of.
    tenant_id: str
    # The lease token of the claim.
    id: str = Field(primary_key=True)
    job_id: str
    attempt: int
    worker_id: str
    claimed_at: datetime = Field(sa_type=UtcDateTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: AttemptOutcome | None = Field(default=None, sa_type=one_of(AttemptOutcome))
    failure_code: str | None = None


class JobEvent(TenantOwned, table=True):
    """One thing an attempt told: a phase, a point of a curve, a note."""

    __tablename__ = "job_event"
    __table_args__ = (
        UniqueConstraint("job_id", "position"),
        ForeignKeyConstraint(["tenant_id", "job_id"], ["job.tenant_id", "job.id"], ondelete="CASCADE"),
    )

    id: int | None = Field(default=None, primary_key=True)
    job_id: str
    attempt: int
    # The line of the run's events file, so that telling twice is once, also by a resumed attempt.
    position: int
    at: datetime = Field(sa_type=UtcDateTime)
    kind: str
    phase: str
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    values: dict[str, float] = Field(default_factory=dict, sa_type=Json)
    message: str | None = None


class Worker(SQLModel, table=True):
    """A worker process, from its start until nobody hears from it."""

    id: str = Field(default_factory=lambda: ids.new("worker"), primary_key=True)
    host: str
    process: int
    device: str
    device_name: str
    started_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    seen_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime, index=True)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # How fast its device works, as it has measured it itself with these versions; see
    # training/quoting/speed.py.
    speed: dict[str, Any] | None = Field(default=None, sa_type=Json)
    versions: str | None = None
    # It finishes what it has and claims no more.
    drain_requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Chore(SQLModel, table=True):
    """Work of ours that comes round again; any worker does it, one at a time."""

    name: str = Field(primary_key=True)
    due_at: datetime = Field(sa_type=UtcDateTime)
    lease_token: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # Why it broke the last time, if it did.
    failure: str | None = None
