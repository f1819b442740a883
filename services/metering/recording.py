"""Writing facts of use to the ledger, each once, and knowing when a stretch of it is complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from services import clock, db
from services.accounts.scope import across
from services.db import Quantity
from services.metering.tables import UsageEvent
from services.metering.usage import NewUsage

# The first half of our advisory locks on Postgres; the second is a tenant's.
_LEDGER_NAME = b"tuneport ledger"
_LEDGER = crc32(_LEDGER_NAME) - 2**31
# Built once, for building one takes longer than its work.
_WRITTEN = (col(UsageEvent.tenant_id), col(UsageEvent.id))
_INSERT = {
    "sqlite": sqlite.insert(UsageEvent).on_conflict_do_nothing().returning(*_WRITTEN),
    "postgresql": postgresql.insert(UsageEvent).on_conflict_do_nothing().returning(*_WRITTEN),
}
_COLUMNS = (
    "tenant_id", "id", "meter", "quantity", "at", "recorded_at", "job_id", "model_version_id", "key_id",
    "user_id", "properties",
)  # fmt: skip
_INSERT_ONE = f"""
    WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(%(ledger)s, %(key)s))
    INSERT INTO usage_event ({", ".join(_COLUMNS)})
    SELECT {", ".join(f"%({name})s" for name in _COLUMNS)} FROM held
    ON CONFLICT DO NOTHING RETURNING tenant_id, id
"""  # noqa: S608


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
    session.flush()
    connection = session.connection()
    on_postgres = connection.dialect.name == "postgresql"
    if on_postgres and len(rows) == 1:
        return _insert_one(connection, rows[0])
    if on_postgres:
        for tenant_id in dict.fromkeys(row["tenant_id"] for row in rows):
            session.execute(select(func.pg_advisory_xact_lock_shared(_LEDGER, _key(tenant_id))))
    written = connection.execute(_INSERT[connection.dialect.name], rows)
    return {(tenant_id, event_id) for tenant_id, event_id in written}


def _insert_one(connection: Connection, row: dict[str, Any]) -> set[tuple[str, str]]:
    """What every job and every prediction does, in one question: the lock first, then the event."""
    values = row | {
        "quantity": Quantity().process_bind_param(row["quantity"], connection.dialect),
        "properties": Jsonb(row["properties"]),
        "ledger": _LEDGER,
        "key": _key(row["tenant_id"]),
    }
    return {(tenant_id, event_id) for tenant_id, event_id in db.ask_driver(connection, _INSERT_ONE, values)}


def settled(session: Session, tenant_id: str) -> int:
    """The serial up to which a tenant's events are complete: none will yet appear at or below it.

    Serials are given before a transaction commits, so this waits for those under way, and new ones wait for
    the end of this transaction: keep it short.
    """
    lock_of(session, _LEDGER_NAME, tenant_id)
    newest = across(UsageEvent).where(col(UsageEvent.tenant_id) == tenant_id)
    return session.execute(newest.with_only_columns(func.max(col(UsageEvent.serial)))).scalar() or 0


def lock_of(session: Session, purpose: bytes, tenant_id: str) -> None:
    """Be the only one in a tenant who does this, to the end of the transaction."""
    if session.get_bind().dialect.name != "sqlite":  # where one transaction writes at a time
        session.execute(select(func.pg_advisory_xact_lock(_half(purpose), _key(tenant_id))))


def _half(purpose: bytes) -> int:
    return crc32(purpose) - 2**31


def _key(tenant_id: str) -> int:
    return _half(tenant_id.encode())


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
