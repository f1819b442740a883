"""What is stored, times how long: one usage event for each day of a workspace that is over."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlmodel import Session, col

from services import clock
from services.accounts.scope import Member, owned
from services.accounts.service import get_tenant
from services.datasets.tables import DatasetVersion, Upload
from services.metering.aggregation import Aggregation, Reading, aggregated
from services.metering.days import day_of, midnight
from services.metering.meters import STORED_GB_HOURS
from services.metering.recording import Recorded, record
from services.metering.tables import UsageEvent
from services.metering.usage import NewUsage
from services.registry.tables import ModelVersion

_DAY = timedelta(days=1)
# A worker that was away for longer charges nothing for the days before.
_CATCH_UP = timedelta(days=7)
_INSTANT = timedelta(microseconds=1)
_GIGABYTE = -9


def store_days(session: Session, member: Member) -> Recorded:
    """Record the storage of each day that is over and not recorded yet; what was deleted since is free."""
    tenant = get_tenant(session, member)
    zone, today = tenant.time_zone, day_of(clock.now(), tenant.time_zone)
    events = [
        _event(member, day, quantity, midnight(day + _DAY, zone))
        for day in _waiting(session, member, day_of(tenant.created_at, zone), today)
        if (quantity := _gb_hours(session, member, midnight(day, zone), midnight(day + _DAY, zone)))
    ]
    return record(session, events)


def _waiting(session: Session, member: Member, since: date, today: date) -> Iterator[date]:
    newest = owned(UsageEvent, member).where(
        UsageEvent.meter == STORED_GB_HOURS.name, col(UsageEvent.at) >= clock.now() - _CATCH_UP
    )
    known = set(session.execute(newest.with_only_columns(col(UsageEvent.id))).scalars())
    day = max(since, today - _CATCH_UP)
    while day < today:
        if _id(day) not in known:
            yield day
        day += _DAY


def _id(day: date) -> str:
    return f"stored:{day}"


def _event(member: Member, day: date, quantity: Decimal, end: datetime) -> NewUsage:
    # The last instant of the day, so that no cut of days can push it into the next one.
    at = (end - _INSTANT).astimezone(UTC)
    return NewUsage(
        tenant_id=member.tenant_id, id=_id(day), meter=STORED_GB_HOURS.name, quantity=quantity, at=at
    )


def _gb_hours(session: Session, member: Member, start: datetime, end: datetime) -> Decimal:
    """What stands now and stood then, in gigabytes times hours; each thing since it was made."""
    level = Decimal(0)
    readings = []
    for made_at, size in sorted(_things(session, member, end)):
        level += Decimal(size).scaleb(_GIGABYTE)
        readings.append(Reading(made_at, level))
    return aggregated(Aggregation.time_weighted, readings, start=start, end=end)


def _things(session: Session, member: Member, end: datetime) -> Iterator[tuple[datetime, int]]:
    """When each thing that is kept was made, and its bytes."""
    for table in (Upload, DatasetVersion, ModelVersion):
        made = owned(table, member).where(col(table.created_at) < end)
        rows = session.execute(made.with_only_columns(col(table.created_at), col(table.bytes)))
        yield from ((made_at, size) for made_at, size in rows)
