"""The ledger of use: write each fact once, and ask about it by day of the tenant's calendar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import SQLColumnExpression, and_, func, literal, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from services import clock
from services.accounts.scope import Member, find, owned
from services.metering.meters import METERS
from services.metering.sums import instants, summed
from services.metering.tables import UsageEvent
from services.metering.usage import NewUsage, Use

# Properties that a price can depend on.
PRICED_PROPERTIES = tuple(sorted({name for meter in METERS.values() for name in meter.needs}))


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many events were new, and how many the ledger had already."""

    inserted: int
    duplicates: int


class UseBy(StrEnum):
    """What a day's use is divided by, beside the meter."""

    meter = "meter"
    model = "model"
    key = "key"
    member = "member"


@dataclass(frozen=True, slots=True)
class DayUse:
    """A day's use of one meter by one model version, key or member (None: by none)."""

    day: date
    meter: str
    by: str | None
    quantity: Decimal
    events: int


@dataclass(frozen=True, slots=True)
class MeterTotal:
    """All use of one meter."""

    meter: str
    quantity: Decimal
    events: int


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first; `next_after` asks for the page behind, None where there is none."""

    events: list[UsageEvent]
    next_after: str | None


def record(session: Session, events: Sequence[NewUsage]) -> Recorded:
    """Write events to the ledger; one whose id its tenant's ledger has already changes nothing."""
    if not events:
        return Recorded(0, 0)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    # In one order everywhere, so that two batches never wait for each other.
    rows = sorted((_row(event) for event in events), key=lambda row: (row["tenant_id"], row["id"]))
    written = session.execute(
        insert(UsageEvent).on_conflict_do_nothing().returning(col(UsageEvent.id)), rows
    ).all()
    return Recorded(len(written), len(rows) - len(written))


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


def by_day(
    session: Session, member: Member, *, first: date, last: date, by: UseBy = UseBy.meter
) -> list[DayUse]:
    """Use of each day from `first` to `last` (both included), oldest first; days without use are left out.

    Raises:
        UnusableDays: no range, or too long a one.
    """
    columns: dict[UseBy, SQLColumnExpression[str | None]] = {
        UseBy.meter: literal(None),
        UseBy.model: col(UsageEvent.model_version_id),
        UseBy.key: col(UsageEvent.key_id),
        UseBy.member: col(UsageEvent.user_id),
    }
    rows = summed(session, member, first, last, [columns[by]])
    found = [DayUse(day, meter, group, quantity, events) for day, meter, group, quantity, events in rows]
    return sorted(found, key=lambda use: (use.day, use.meter, use.by or ""))


def totals(session: Session, member: Member, *, first: date, last: date) -> list[MeterTotal]:
    """All use from `first` to `last` (both included), a figure per meter, by the meter's name.

    Raises:
        UnusableDays: no range, or too long a one.
    """
    by_meter: dict[str, MeterTotal] = {}
    for use in by_day(session, member, first=first, last=last):
        so_far = by_meter.get(use.meter, MeterTotal(use.meter, Decimal(0), 0))
        by_meter[use.meter] = MeterTotal(
            use.meter, so_far.quantity + use.quantity, so_far.events + use.events
        )
    return [by_meter[meter] for meter in sorted(by_meter)]


def uses(session: Session, member: Member, *, first: date, last: date) -> list[Use]:
    """The same use as prices see it: per day, meter, subject and the properties a price can depend on.

    Raises:
        UnusableDays: no range, or too long a one.
    """
    subject = func.coalesce(col(UsageEvent.job_id), col(UsageEvent.model_version_id), "")
    priced = [col(UsageEvent.properties)[name].as_string() for name in PRICED_PROPERTIES]
    return [
        Use(
            meter=meter,
            subject=who,
            day=day,
            quantity=quantity,
            events=events,
            properties={
                name: value
                for name, value in zip(PRICED_PROPERTIES, values, strict=True)
                if value is not None
            },
        )
        for day, meter, who, *values, quantity, events in summed(
            session, member, first, last, [subject, *priced]
        )
    ]


def events(
    session: Session,
    member: Member,
    *,
    first: date,
    last: date,
    meter: str | None = None,
    subject: str | None = None,
    properties: Mapping[str, str] | None = None,
    recorded_until: datetime | None = None,
    limit: int = 100,
    after: str | None = None,
) -> EventPage:
    """Single events from `first` to `last` (both included), newest first.

    `subject` is a job or a model version; `recorded_until` leaves out what was told later.

    Raises:
        UnusableDays: no range, or too long a one.
        NotFound: `after` is no event of this workspace.
    """
    begin, end = instants(session, member, first, last)
    statement = owned(UsageEvent, member).where(col(UsageEvent.at) >= begin, col(UsageEvent.at) < end)
    if meter is not None:
        statement = statement.where(UsageEvent.meter == meter)
    if subject is not None:
        statement = statement.where(
            or_(col(UsageEvent.job_id) == subject, col(UsageEvent.model_version_id) == subject)
        )
    for name, value in (properties or {}).items():
        statement = statement.where(col(UsageEvent.properties)[name].as_string() == value)
    if recorded_until is not None:
        statement = statement.where(col(UsageEvent.recorded_at) <= recorded_until)
    if after is not None:
        seen = find(session, member, UsageEvent, after, "usage event")
        at, event_id = col(UsageEvent.at), col(UsageEvent.id)
        statement = statement.where(or_(at < seen.at, and_(at == seen.at, event_id < seen.id)))
    newest_first = statement.order_by(col(UsageEvent.at).desc(), col(UsageEvent.id).desc())
    found = list(session.exec(newest_first.limit(limit + 1)))
    return EventPage(found[:limit], found[limit - 1].id if len(found) > limit else None)
