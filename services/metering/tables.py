"""The ledger of use."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from services import clock
from services.accounts.scope import TenantOwned
from services.db import Json, Quantity, UtcDateTime


class UsageEvent(TenantOwned, table=True):
    """One immutable record of use; its id is derived from the fact, so that telling twice counts once."""

    __tablename__ = "usage_event"
    __table_args__ = (
        Index("ix_usage_event_tenant_at", "tenant_id", "at"),
        Index("ix_usage_event_tenant_meter_at", "tenant_id", "meter", "at"),
    )

    tenant_id: str = Field(foreign_key="tenant.id", primary_key=True)
    # For example `job:job_0192…:training` or `req:req_0192…`.
    id: str = Field(primary_key=True)
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
