"""Tenants, the people and keys that act in them, and what they did."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from services import clock, ids
from services.accounts.scope import Role, StaffRole, TenantOwned, one_per_tenant
from services.db import Json, UtcDateTime, one_of


class Tenant(SQLModel, table=True):
    """A customer organisation; people call it workspace."""

    id: str = Field(default_factory=lambda: ids.new("tenant"), primary_key=True)
    name: str
    # Periods of invoices and days of usage are cut in this zone (IANA name).
    time_zone: str = "UTC"
    currency: str = "EUR"
    # Jobs of this tenant that may run at once, and that may be open (queued or running) at once.
    running_job_limit: int = 2
    open_job_limit: int = 20
    # Longest time that one attempt of a job may take.
    max_runtime_seconds: int = 6 * 3600
    # A tenant of weight 2 gets twice the turns of a tenant of weight 1 while both have jobs waiting.
    share_weight: int = 1
    # Virtual time of the queue: of this tenant's last claim, and of its next one (see jobs/fairness.py).
    last_turn: int = Field(default=0, sa_type=BigInteger)
    next_turn: int = Field(default=0, sa_type=BigInteger)
    last_claim_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    suspended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class User(SQLModel, table=True):
    """A person: the issuer and subject of an identity provider. The e-mail is a label."""

    __tablename__ = "person"  # `user` is a reserved word of Postgres
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: str = Field(default_factory=lambda: ids.new("user"), primary_key=True)
    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class Membership(TenantOwned, table=True):
    """A person's role in a tenant."""

    __table_args__ = (one_per_tenant("user_id"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="person.id", index=True)
    role: Role = Field(sa_type=one_of(Role))
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class StaffGrant(SQLModel, table=True):
    """Our own people by verified e-mail, so that they can be named before they first sign in."""

    __tablename__ = "staff_grant"

    email: str = Field(primary_key=True)
    role: StaffRole = Field(sa_type=one_of(StaffRole))
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class Invitation(TenantOwned, table=True):
    """A place kept for whoever proves to own an e-mail address."""

    __table_args__ = (one_per_tenant("id"),)

    id: str = Field(default_factory=lambda: ids.new("invitation"), primary_key=True)
    email: str = Field(index=True)
    role: Role = Field(sa_type=one_of(Role))
    invited_by: str | None = None
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ApiKey(TenantOwned, table=True):
    """A secret that programs call the API with; only its HMAC is kept."""

    __tablename__ = "api_key"
    __table_args__ = (one_per_tenant("id"),)

    id: str = Field(default_factory=lambda: ids.new("key"), primary_key=True)
    name: str
    # The first characters, enough for a person to tell keys apart.
    hint: str
    digest: str = Field(unique=True)
    created_by: str | None = None
    # May whoever has it tell of use that was measured elsewhere? Such keys are the operator's to make.
    tells_usage: bool = False
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SignIn(SQLModel, table=True):
    """One signed-in browser; ending it signs that browser out at its next step."""

    __tablename__ = "sign_in"

    id: str = Field(default_factory=lambda: ids.new("session"), primary_key=True)
    digest: str = Field(unique=True)
    # Known from the first page on; the callback that makes the row sees only cookies.
    user_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    seen_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AuditEntry(SQLModel, table=True):
    """Who did what to what, and when; rows are only ever added."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_tenant_at", "tenant_id", "at"),
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
    )

    id: str = Field(default_factory=lambda: ids.new("audit"), primary_key=True)
    # None for what our staff did outside any one tenant.
    tenant_id: str | None = None
    actor: str
    action: str
    subject: str
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
