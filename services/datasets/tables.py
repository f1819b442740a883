"""Uploaded files, data sets and their frozen versions."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint
from sqlmodel import Field

from services import clock, ids
from services.accounts.scope import TenantOwned, one_per_tenant
from services.db import Json, JsonOrNull, UtcDateTime, one_of


class Upload(TenantOwned, table=True):
    """A customer's file exactly as it came."""

    __table_args__ = (one_per_tenant("id"),)

    id: str = Field(default_factory=lambda: ids.new("upload"), primary_key=True)
    filename: str
    purpose: str = "fine-tune"
    bytes: int
    sha256: str
    storage_key: str
    created_by: str | None = None
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class UploadState(StrEnum):
    """How far an upload in parts has come."""

    pending = "pending"
    completed = "completed"
    cancelled = "cancelled"


class UploadSession(TenantOwned, table=True):
    """A file on its way in parts, which goes on after a broken connection."""

    __tablename__ = "upload_session"
    __table_args__ = (one_per_tenant("id"),)

    id: str = Field(default_factory=lambda: ids.new("upload_session"), primary_key=True)
    filename: str
    purpose: str = "fine-tune"
    # How many bytes the file has, as announced.
    bytes: int
    # By what its sender knows the file again, such as its sha256.
    fingerprint: str | None = Field(default=None, index=True)
    state: UploadState = Field(default=UploadState.pending, sa_type=one_of(UploadState))
    # The file that came of it.
    upload_id: str | None = None
    created_by: str | None = None
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    # When nobody is expected to go on with it any more; later with each part.
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class UploadPart(TenantOwned, table=True):
    """Some bytes of an upload in parts."""

    __tablename__ = "upload_part"
    __table_args__ = (
        one_per_tenant("id"),
        # Two who send the same stretch at once: one of them.
        one_per_tenant("session_id", "start"),
        ForeignKeyConstraint(
            ["tenant_id", "session_id"], ["upload_session.tenant_id", "upload_session.id"], ondelete="CASCADE"
        ),
    )

    id: str = Field(default_factory=lambda: ids.new("upload_part"), primary_key=True)
    session_id: str
    # Where in the file it stands; None where the order is told at the end.
    start: int | None = None
    bytes: int
    storage_key: str
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class Draft(TenantOwned, table=True):
    """A file on its way to becoming a version: how it is to be read, and what is done about its findings.

    A file has one draft at most; without a row it is read as we guess, with nothing done to it.
    """

    __tablename__ = "dataset_draft"
    __table_args__ = (
        one_per_tenant("upload_id"),
        ForeignKeyConstraint(
            ["tenant_id", "upload_id"], ["upload.tenant_id", "upload.id"], ondelete="CASCADE"
        ),
    )

    id: str = Field(default_factory=lambda: ids.new("draft"), primary_key=True)
    upload_id: str
    # A `Format`; None where our guess stands.
    format: dict[str, Any] | None = Field(default=None, sa_type=Json)
    # Each a `Fix`, in the order in which they are done.
    fixes: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    updated_by: str | None = None
    updated_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class Dataset(TenantOwned, table=True):
    """Labelled data under a name; what it holds stands in its versions."""

    __table_args__ = (one_per_tenant("id"), one_per_tenant("name"))

    id: str = Field(default_factory=lambda: ids.new("dataset"), primary_key=True)
    name: str
    task: str
    created_by: str | None = None
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    # Since then it is but the origin of models: what it was called and counted, without a row of data.
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DatasetVersion(TenantOwned, table=True):
    """Data that never changes again: its examples, splits and what was left out, with their counts."""

    __tablename__ = "dataset_version"
    __table_args__ = (
        one_per_tenant("id"),
        one_per_tenant("dataset_id", "number"),
        ForeignKeyConstraint(["tenant_id", "dataset_id"], ["dataset.tenant_id", "dataset.id"]),
    )

    id: str = Field(default_factory=lambda: ids.new("dataset_version"), primary_key=True)
    dataset_id: str
    number: int = 1
    # Without a foreign key: the customer may delete the file and keep the version.
    upload_id: str | None = None
    task: str
    format: dict[str, Any] = Field(sa_type=Json)
    content_hash: str
    seed: int
    rows_in: int
    rows_used: int
    # Reason code -> rows; rows_in = rows_used + sum of these.
    dropped: dict[str, int] = Field(default_factory=dict, sa_type=Json)
    # What was done to the rows as they were read: each a `Change`, with counts before and after.
    changes: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    # What the doctor still found in it: each code, severity and count.
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    # Label (or entity type) -> split -> count.
    labels: dict[str, dict[str, int]] = Field(sa_type=Json)
    # Split -> rows.
    splits: dict[str, int] = Field(sa_type=Json)
    # Labels too rare for the validation and test splits.
    train_only_labels: list[str] = Field(default_factory=list, sa_type=Json)
    characters: int
    # Split -> how long its rows are in tokens, an `Amount`; None where nobody has counted yet.
    tokens: dict[str, Any] | None = Field(default=None, sa_type=JsonOrNull)
    storage_prefix: str
    # File below the prefix -> sha256.
    manifest: dict[str, str] = Field(sa_type=Json)
    # Of those files together.
    bytes: int = Field(default=0, sa_type=BigInteger)
    created_by: str | None = None
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
