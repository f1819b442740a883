"""The ledger of use, what has been added up of it, and how far."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Index, Integer
from sqlmodel import Field, SQLModel

from services import clock
from services.accounts.scope import TenantOwned, one_per_tenant
from services.db import Json, Quantity, UtcDateTime

# SQLite numbers rows by itself only in a column of exactly this type.
Serial = BigInteger().with_variant(Integer(), "sqlite")


class UsageEvent(TenantOwned, table=True):
    """One immutable record of use; its id is derived from the fact, so that telling twice counts once.

    Triggers of the database refuse to change or to delete one.
    """

    __tablename__ = "usage_event"
    __table_args__ = (
        one_per_tenant("id"),
        Index("ix_usage_event_tenant_serial", "tenant_id", "serial"),
        Index("ix_usage_event_tenant_at", "tenant_id", "at"),
        {"sqlite_autoincrement": True},
    )

    # The order in which events were written down: what comes later has a higher one.
    serial: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    tenant_id: str = Field(foreign_key="tenant.id")
    # For example `job:job_0192…:training` or `req:req_0192…`.
    id: str
    meter: str
    quantity: Decimal = Field(sa_type=Quantity)
    # When the use happened, and when it was written down.
    at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)
    job_id: str | None = None
    model_version_id: str | None = None
    key_id: str | None = None
    user_id: str | None = None
    # Whatever prices may depend on, such as the device class.
    properties: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class UsageHour(TenantOwned, table=True):
    """An hour's events (UTC) that agree in all of this, added up; can be made again from the events.

    Where events name no job, version, key, person or device class, the column is empty.
    """

    __tablename__ = "usage_hour"

    tenant_id: str = Field(foreign_key="tenant.id", primary_key=True)
    hour: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    meter: str = Field(primary_key=True)
    job_id: str = Field(default="", primary_key=True)
    model_version_id: str = Field(default="", primary_key=True)
    key_id: str = Field(default="", primary_key=True)
    user_id: str = Field(default="", primary_key=True)
    device_class: str = Field(default="", primary_key=True)
    quantity: Decimal = Field(sa_type=Quantity)
    events: int = Field(sa_type=BigInteger)


class UsageMark(SQLModel, table=True):
    """How far a tenant's events have been added up to hours; its row is the lock of whoever adds."""

    __tablename__ = "usage_mark"

    tenant_id: str = Field(foreign_key="tenant.id", primary_key=True)
    # The serial of the last event in the hours.
    rolled_up: int = Field(default=0, sa_type=BigInteger)
    # Up to where the hours were compared with their events.
    compared: datetime | None = Field(default=None, sa_type=UtcDateTime)
