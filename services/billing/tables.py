"""Who pays how, what was given, and what was charged. Amounts are integer micro-units of the currency."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from services import clock, ids
from services.accounts.scope import TenantOwned, one_per_tenant
from services.db import Json, UtcDateTime, one_of


class InvoiceState(StrEnum):
    """The life of an invoice; a draft is computed from events and stands in no row."""

    open = "open"  # finalised and owed
    paid = "paid"
    void = "void"
    uncollectible = "uncollectible"


class Subscription(TenantOwned, table=True):
    """A tenant on a plan, from one instant to another."""

    __table_args__ = (one_per_tenant("id"), one_per_tenant("starts_at"))

    id: str = Field(default_factory=lambda: ids.new("subscription"), primary_key=True)
    plan: str
    # On trial, use stops when the credit is spent; otherwise it is invoiced.
    trial: bool = True
    starts_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CreditGrant(TenantOwned, table=True):
    """Money given or paid ahead, used before anything is owed."""

    __tablename__ = "credit_grant"
    __table_args__ = (one_per_tenant("id"),)

    id: str = Field(default_factory=lambda: ids.new("grant"), primary_key=True)
    amount: int = Field(sa_type=BigInteger)
    reason: str
    created_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Invoice(TenantOwned, table=True):
    """A finalised invoice, which never changes: seller, customer, prices and lines are a snapshot."""

    __table_args__ = (
        one_per_tenant("id"),
        one_per_tenant("period_start"),
        UniqueConstraint("year", "sequence"),
        UniqueConstraint("number"),
    )

    id: str = Field(default_factory=lambda: ids.new("invoice"), primary_key=True)
    year: int
    sequence: int
    number: str
    state: InvoiceState = Field(default=InvoiceState.open, sa_type=one_of(InvoiceState))
    period_start: datetime = Field(sa_type=UtcDateTime)
    period_end: datetime = Field(sa_type=UtcDateTime)
    currency: str
    total: int = Field(sa_type=BigInteger)
    snapshot: dict[str, Any] = Field(sa_type=Json)
    finalised_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)


class InvoiceCounter(SQLModel, table=True):
    """The last number given in a year; its row is the lock that keeps numbers gap-free."""

    __tablename__ = "invoice_counter"

    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    last: int = 0
