"""Hours of use: events added up once, so that a question about months need not read them all.

The hours are a copy. They follow the ledger by its serials, can be made again from it at any time, and are
compared with it all the time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    SQLColumnExpression,
    String,
    and_,
    delete,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from services import clock
from services.accounts.tables import Tenant
from services.db import Quantity, UtcDateTime
from services.metering.tables import UsageEvent, UsageHour, UsageMark

# Events that one transaction adds up at most.
STRETCH = 250_000
# Hours that one look compares; younger ones are compared too, the rest in turn.
COMPARED = timedelta(days=2)

HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = ("hour", "meter", "job_id", "model_version_id", "key_id", "user_id", "device_class")


@dataclass(frozen=True, slots=True)
class Difference:
    """An hour of a meter whose roll-up is not what its events say."""

    tenant_id: str
    hour: datetime
    meter: str
    events: int
    quantity: Decimal
    rolled_up_events: int
    rolled_up_quantity: Decimal


def hour_of(dialect: str) -> ColumnElement[Any]:
    """The beginning of the hour (UTC) that an event falls in, as the column of an hour keeps it."""
    at = col(UsageEvent.at)
    if dialect == "sqlite":
        return _within_hour(at, ":00:00.000000")
    # Hours are of one length: cut so, a month of events takes a third less than cut by a calendar.
    return func.date_bin(literal(HOUR), at, literal(_EPOCH, UtcDateTime()), type_=UtcDateTime())


def _within_hour(at: SQLColumnExpression[Any], rest: str) -> ColumnElement[Any]:
    # Of SQLite's text of an instant what says its hour, and `rest`.
    return type_coerce(
        func.substr(type_coerce(at, String), 1, 13).concat(literal(rest, String)), UtcDateTime()
    )


def dimensions(dialect: str) -> dict[str, SQLColumnExpression[Any]]:
    """What an event is added up by, named as the columns of an hour."""

    def or_empty(column: SQLColumnExpression[Any]) -> SQLColumnExpression[Any]:
        return func.coalesce(column, "")

    return {
        "hour": hour_of(dialect),
        "meter": col(UsageEvent.meter),
        "job_id": or_empty(col(UsageEvent.job_id)),
        "model_version_id": or_empty(col(UsageEvent.model_version_id)),
        "key_id": or_empty(col(UsageEvent.key_id)),
        "user_id": or_empty(col(UsageEvent.user_id)),
        "device_class": or_empty(col(UsageEvent.properties)["device_class"].as_string()),
    }


def behind(session: Session) -> list[str]:
    """The tenants with events that are in no hour yet."""
    newest = (
        select(func.max(col(UsageEvent.serial)))
        .where(col(UsageEvent.tenant_id) == Tenant.id)
        .correlate(Tenant)
        .scalar_subquery()
    )
    done = func.coalesce(col(UsageMark.rolled_up), 0)
    waiting = select(col(Tenant.id)).outerjoin(UsageMark, col(UsageMark.tenant_id) == Tenant.id)
    return list(session.execute(waiting.where(newest > done).order_by(col(Tenant.id))).scalars())


def advance(session: Session, tenant_id: str, *, until: int) -> bool:
    """Add a tenant's new events to its hours, a stretch at a time; gives whether there are more.

    `until` is a serial that `recording.settled` gave, and bounds them.
    """
    mark = _mark(session, tenant_id)
    serial = col(UsageEvent.serial)
    new = [col(UsageEvent.tenant_id) == tenant_id, serial > mark.rolled_up, serial <= until]
    ordered = select(serial).where(*new).order_by(serial)
    last = session.execute(ordered.offset(STRETCH - 1).limit(1)).scalar()
    up_to = until if last is None else last
    if up_to > mark.rolled_up:
        _add(session, tenant_id, and_(serial > mark.rolled_up, serial <= up_to))
        mark.rolled_up = up_to
        session.add(mark)
        session.flush()
    return up_to < until


def _mark(session: Session, tenant_id: str) -> UsageMark:
    locked = select(UsageMark).where(col(UsageMark.tenant_id) == tenant_id).with_for_update()
    known: UsageMark | None = session.execute(locked).scalar_one_or_none()
    if known is not None:
        return known
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    first = dialect.insert(UsageMark).values(tenant_id=tenant_id, rolled_up=0)
    session.execute(first.on_conflict_do_nothing(index_elements=["tenant_id"]))
    made: UsageMark = session.execute(locked).scalar_one()
    return made


def _add(session: Session, tenant_id: str, which: ColumnElement[bool]) -> None:
    name = session.get_bind().dialect.name
    by = dimensions(name)
    summed = (
        select(
            literal(tenant_id),
            *by.values(),
            func.sum(col(UsageEvent.quantity)),
            func.count(),
        )
        .where(col(UsageEvent.tenant_id) == tenant_id, which)
        .group_by(*by.values())
    )
    add = (sqlite if name == "sqlite" else postgresql).insert(UsageHour)
    add = add.from_select(["tenant_id", *by, "quantity", "events"], summed)
    kept = UsageHour.__table__.c  # type: ignore[attr-defined]
    added = {column: kept[column] + add.excluded[column] for column in ("quantity", "events")}
    session.execute(add.on_conflict_do_update(index_elements=["tenant_id", *_KEY], set_=added))


def rebuild(session: Session, tenant_id: str, *, first: datetime, until: datetime) -> None:
    """Make a tenant's hours anew from its events, from a whole hour up to, and without, another."""
    mark = _mark(session, tenant_id)
    session.execute(
        delete(UsageHour).where(
            col(UsageHour.tenant_id) == tenant_id, col(UsageHour.hour) >= first, col(UsageHour.hour) < until
        )
    )
    within = and_(
        col(UsageEvent.at) >= first,
        col(UsageEvent.at) < until,
        col(UsageEvent.serial) <= mark.rolled_up,
    )
    _add(session, tenant_id, within)


def differences(session: Session, tenant_id: str, *, first: datetime, until: datetime) -> list[Difference]:
    """Every hour of a meter, from a whole hour up to another, whose roll-up is not the sum of its events."""
    if session.get_bind().dialect.name == "sqlite" and _agree_on_sqlite(session, tenant_id, first, until):
        return []
    hour = hour_of(session.get_bind().dialect.name)
    told = (
        select(
            hour.label("hour"),
            col(UsageEvent.meter).label("meter"),
            func.sum(col(UsageEvent.quantity), type_=Quantity()).label("quantity"),
            func.count().label("events"),
            literal(0, Quantity()).label("copied_quantity"),
            literal(0).label("copied_events"),
        )
        .where(_added(tenant_id), col(UsageEvent.at) >= first, col(UsageEvent.at) < until)
        .group_by(hour, col(UsageEvent.meter))
    )
    copied = (
        select(
            col(UsageHour.hour),
            col(UsageHour.meter),
            literal(0, Quantity()),
            literal(0),
            func.sum(col(UsageHour.quantity), type_=Quantity()),
            func.sum(col(UsageHour.events), type_=BigInteger()),
        )
        .where(
            col(UsageHour.tenant_id) == tenant_id, col(UsageHour.hour) >= first, col(UsageHour.hour) < until
        )
        .group_by(col(UsageHour.hour), col(UsageHour.meter))
    )
    # The database compares: of a month's hours only those that differ come here.
    both = union_all(told, copied).subquery().c
    quantity, copied_quantity = func.sum(both.quantity), func.sum(both.copied_quantity)
    events, copied_events = func.sum(both.events), func.sum(both.copied_events)
    differing = (
        select(both.hour, both.meter, events, quantity, copied_events, copied_quantity)
        .group_by(both.hour, both.meter)
        .having((quantity != copied_quantity) | (events != copied_events))
        .order_by(both.hour, both.meter)
    )
    return [
        Difference(tenant_id, when, meter, int(count), Decimal(sum_), int(copied_count), Decimal(copied_sum))
        for when, meter, count, sum_, copied_count, copied_sum in session.execute(differing)
    ]


def _added(tenant_id: str) -> ColumnElement[bool]:
    """Is an event one of the tenant's that are in its hours?"""
    # Asked within the one question, so that hours and events are those of one instant, and nobody is held up.
    mark = select(col(UsageMark.rolled_up)).where(col(UsageMark.tenant_id) == tenant_id).scalar_subquery()
    return and_(col(UsageEvent.tenant_id) == tenant_id, col(UsageEvent.serial) <= func.coalesce(mark, 0))


def _agree_on_sqlite(session: Session, tenant_id: str, first: datetime, until: datetime) -> bool:
    """Are the hours what their events add up to? Sooner answered by a quarter than which of them are not.

    SQLite sorts what it groups, and events that are asked for by their hour lie in order already. Where as
    many events lie between the hours as within them, none is left over.
    """
    added = _added(tenant_id)
    at, hour = col(UsageEvent.at), col(UsageHour.hour)
    copied = (
        select(
            hour,
            col(UsageHour.meter),
            func.sum(col(UsageHour.quantity)).label("quantity"),
            func.sum(col(UsageHour.events)).label("events"),
        )
        .where(col(UsageHour.tenant_id) == tenant_id, hour >= first, hour < until)
        .group_by(hour, col(UsageHour.meter))
        .cte("copied")
        .prefix_with("MATERIALIZED")
    )
    told = (
        select(func.coalesce(func.sum(col(UsageEvent.quantity)), 0), func.count())
        .where(added, at >= copied.c.hour, at <= _within_hour(copied.c.hour, ":59:59.999999"))
        .where(col(UsageEvent.meter) == copied.c.meter)
        .scalar_subquery()
    )
    differing = select(func.count()).where(tuple_(copied.c.quantity, copied.c.events) != told)
    within = select(func.coalesce(func.sum(copied.c.events), 0)).scalar_subquery()
    between = select(func.count()).where(added, at >= first, at < until).scalar_subquery()
    return session.execute(select(differing.scalar_subquery(), between - within)).one() == (0, 0)


def compare(session: Session, tenant_id: str) -> list[Difference]:
    """Compare the youngest hours and the next older ones in turn, and put right what differs."""
    mark = _mark(session, tenant_id)
    now = clock.now().replace(minute=0, second=0, microsecond=0) + HOUR
    oldest = session.execute(
        select(func.min(col(UsageEvent.at))).where(col(UsageEvent.tenant_id) == tenant_id)
    ).scalar()
    if oldest is None:
        return []
    until = mark.compared if mark.compared is not None and mark.compared > oldest else now
    found: list[Difference] = []
    for end in {now, until}:
        found += differences(session, tenant_id, first=end - COMPARED, until=end)
    for difference in found:
        rebuild(session, tenant_id, first=difference.hour, until=difference.hour + HOUR)
    session.execute(
        update(UsageMark).where(col(UsageMark.tenant_id) == tenant_id).values(compared=until - COMPARED)
    )
    return found
