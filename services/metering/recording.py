"""Writing facts of use to the ledger, each once, and knowing when a stretch of it is complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from services import clock
from services.accounts.scope import across
from services.metering.tables import UsageEvent
from services.metering.usage import NewUsage

# The first half of our advisory locks on Postgres; the second is a tenant's.
_LEDGER = crc32(b"tuneport ledger") - 2**31


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many events were new, and how many the ledger had already."""

    inserted: int
    duplicates: int


def record(session: Session, events: Sequence[NewUsage]) -> Recorded:
    """Write events to the ledger; one whose id its tenant's ledger has already changes nothing."""
    return Recorded(inserted := len(insert(session, events)), len(events) - inserted)


def insert(session: Session, events: Sequence[NewUsage]) -> set[tuple[str, str]]:
    """Write events to the ledger; gives tenant and id of those that it did not have."""
    if not events:
        return set()
    # In one order everywhere, so that two batches never wait for each other.
    rows = sorted((_row(event) for event in events), key=lambda row: (row["tenant_id"], row["id"]))
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        for tenant_id in dict.fromkeys(row["tenant_id"] for row in rows):
            session.execute(select(func.pg_advisory_xact_lock_shared(_LEDGER, _key(tenant_id))))
    statement = (sqlite if is_sqlite else postgresql).insert(UsageEvent).on_conflict_do_nothing()
    written = session.execute(statement.returning(col(UsageEvent.tenant_id), col(UsageEvent.id)), rows)
    return {(tenant_id, event_id) for tenant_id, event_id in written}


def settled(session: Session, tenant_id: str) -> int:
    """The serial up to which a tenant's events are complete: none will yet appear at or below it.

    Serials are given before a transaction commits, so this waits for those under way, and new ones wait for
    the end of this transaction: keep it short.
    """
    if session.get_bind().dialect.name != "sqlite":  # where one transaction writes at a time
        session.execute(select(func.pg_advisory_xact_lock(_LEDGER, _key(tenant_id))))
    newest = across(UsageEvent).where(col(UsageEvent.tenant_id) == tenant_id)
    return session.execute(newest.with_only_columns(func.max(col(UsageEvent.serial)))).scalar() or 0


def _key(tenant_id: str) -> int:
    return crc32(tenant_id.encode()) - 2**31


def _row(event: NewUsage) -> dict[str, Any]:
    return {
        "tenant_id": event.tenant_id,
        "id": event.id,
        "meter": event.meter,
        "quantity": event.quantity,
        "at": event.at,
        "recorded_at": clock.now(),
        "job_id": event.job_id,
        "model_version_id": event.model_version_id,
        "key_id": event.key_id,
        "user_id": event.user_id,
        "properties": dict(event.properties),
    }
