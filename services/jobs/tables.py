"""The job table, what attempts told of themselves, and the workers."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

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
    """One request for work, from the queue to its result."""

    __table_args__ = (
        one_per_tenant("id"),
        one_per_tenant("idempotency_key"),
        ForeignKeyConstraint(
            ["tenant_id", "dataset_version_id"], ["dataset_version.tenant_id", "dataset_version.id"]
        ),
        Index("ix_job_claimable", "state", "tenant_id", "priority", "run_at", "id"),
        Index("ix_job_tenant_created", "tenant_id", "created_at"),
    )

    id: str = Field(default_factory=lambda: ids.new("job"), primary_key=True)
    kind: str = "fine-tune"
    state: JobState = Field(default=JobState.queued, sa_type=one_of(JobState))
    # Lower is sooner, within a tenant only.
    priority: int = 100
    run_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    attempt: int = 0
    max_attempts: int = 3
    # New at every claim. Whoever writes for this job must still hold it.
    lease_token: str | None = None
    # By the database's clock; once past, any worker may return the job to the queue.
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # New at every start of a worker process.
    worker_boot_id: str | None = None
    max_runtime_seconds: int = 6 * 3600
    cancel_requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    idempotency_key: str
    failure_code: str | None = None
    failure: str | None = None

    dataset_version_id: str
    recipe: dict[str, Any] = Field(sa_type=Json)
    # The name of the model whose next version this job makes.
    model_name: str
    model_version_id: str | None = None
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
