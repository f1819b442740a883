"""Trained models, their immutable versions, and the names that move between versions."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field

from services import clock, ids
from services.accounts.scope import TenantOwned, one_per_tenant
from services.db import Json, UtcDateTime, one_of

PRODUCTION = "production"


class Model(TenantOwned, table=True):
    """A trained model under the name that programs call it by."""

    __table_args__ = (one_per_tenant("id"), one_per_tenant("name"))

    id: str = Field(default_factory=lambda: ids.new("model"), primary_key=True)
    name: str
    task: str
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class Stage(StrEnum):
    """Which of its job's models a version is."""

    first = "first"  # Quick's, published while the job goes on from it
    last = "last"  # what the job came to


class ModelVersion(TenantOwned, table=True):
    """What a stage of a job produced: an artefact, its manifest and its report; never changed."""

    __tablename__ = "model_version"
    __table_args__ = (
        one_per_tenant("id"),
        one_per_tenant("model_id", "number"),
        one_per_tenant("job_id", "stage"),
        ForeignKeyConstraint(["tenant_id", "model_id"], ["model.tenant_id", "model.id"]),
        ForeignKeyConstraint(["tenant_id", "job_id"], ["job.tenant_id", "job.id"]),
    )

    id: str = Field(default_factory=lambda: ids.new("model_version"), primary_key=True)
    model_id: str
    number: int
    job_id: str
    stage: Stage = Field(default=Stage.last, sa_type=one_of(Stage))
    task: str
    base_model: str
    labels: list[str] = Field(sa_type=Json)
    metric: str
    value: float
    report: dict[str, Any] = Field(sa_type=Json)
    storage_prefix: str
    # File below the prefix -> sha256: a reader verifies it before it loads anything.
    manifest: dict[str, str] = Field(sa_type=Json)
    bytes: int
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class Alias(TenantOwned, table=True):
    """A movable name of a model, such as *production*."""

    __table_args__ = (
        one_per_tenant("model_id", "name"),
        ForeignKeyConstraint(["tenant_id", "model_id"], ["model.tenant_id", "model.id"]),
        ForeignKeyConstraint(["tenant_id", "version_id"], ["model_version.tenant_id", "model_version.id"]),
    )

    id: int | None = Field(default=None, primary_key=True)
    model_id: str
    name: str = PRODUCTION
    version_id: str
    moved_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class MoveKind(StrEnum):
    """Why an alias moved."""

    # The model's first version.
    first = "first"
    promoted = "promoted"
    # The version was worse than the one before, and somebody gave a reason.
    overruled = "overruled"
    rolled_back = "rolled_back"


class AliasMove(TenantOwned, table=True):
    """One move of an alias: who, when, from where to where, and how the two compared; only ever added."""

    __tablename__ = "alias_move"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "model_id"], ["model.tenant_id", "model.id"]),
        ForeignKeyConstraint(
            ["tenant_id", "from_version_id"], ["model_version.tenant_id", "model_version.id"]
        ),
        ForeignKeyConstraint(["tenant_id", "to_version_id"], ["model_version.tenant_id", "model_version.id"]),
    )

    id: int | None = Field(default=None, primary_key=True)
    model_id: str = Field(index=True)
    name: str = PRODUCTION
    from_version_id: str | None = None
    to_version_id: str
    kind: MoveKind = Field(sa_type=one_of(MoveKind))
    reason: str | None = None
    # A `Judgement`; None where nothing was compared.
    judgement: dict[str, Any] | None = Field(default=None, sa_type=Json)
    moved_by: str | None = None
    moved_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class ThresholdChoice(TenantOwned, table=True):
    """The threshold that a version has from a moment on; the last choice holds, none is ever changed."""

    __tablename__ = "threshold_choice"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "version_id"], ["model_version.tenant_id", "model_version.id"]),
    )

    id: int | None = Field(default=None, primary_key=True)
    version_id: str = Field(index=True)
    # A probability; None gives every answer.
    threshold: float | None = None
    chosen_by: str | None = None
    chosen_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
