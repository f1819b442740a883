"""Sums of use by day of the tenant's calendar: from hours that are added up, and the events since."""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import CTE, BigInteger, and_, column, func, literal, or_, select, type_coerce, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session, col

from services.accounts.scope import Member, owned
from services.accounts.service import get_tenant
from services.db import Quantity, UtcDateTime
from services.metering.days import days, midnight
from services.metering.rollups import HOUR, dimensions
from services.metering.tables import UsageEvent, UsageHour, UsageMark


class Sum(NamedTuple):
    """Some use of a day; `by` has a value for each dimension that was asked for, "" where there is none."""

    day: date
    meter: str
    by: tuple[str, ...]
    quantity: Decimal
    events: int


def instants(session: Session, member: Member, first: date, last: date) -> tuple[datetime, datetime]:
    """The instants between which the days from `first` to `last` lie; the second is outside.

    Raises:
        UnusableDays: no range, or too long a one.
    """
    days(first, last)
    zone = get_tenant(session, member).time_zone
    return midnight(first, zone), midnight(last + timedelta(days=1), zone)


def summed(session: Session, member: Member, first: date, last: date, by: Sequence[str]) -> list[Sum]:
    """Use of each day, meter and dimension (columns of `UsageHour`), exactly as the single events add up.

    Raises:
        UnusableDays: no range, or too long a one.
    """
    zone = get_tenant(session, member).time_zone
    every_day = days(first, last)
    # Neither database need know time zones, and days of 23 and 25 hours come out right.
    edges = [midnight(day, zone).astimezone(UTC) for day in (*every_day, last + timedelta(days=1))]
    # Where clocks are off by half an hour, an hour may belong to two days: its events are read one by one.
    cut = {_hour(edge) for edge in edges if edge != _hour(edge)}
    sums: dict[tuple[date, str, tuple[str, ...]], tuple[Decimal, int]] = defaultdict(lambda: (Decimal(0), 0))
    found = (_whole_hours(session, member, edges, cut, by), _single_events(session, member, edges, cut, by))
    for rows in found:
        for number, meter, *divided, quantity, events in rows:
            place = every_day[number], meter, tuple(divided)
            so_far = sums[place]
            sums[place] = so_far[0] + quantity, so_far[1] + int(events)
    return [Sum(*place, *figures) for place, figures in sums.items()]


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _whole_hours(
    session: Session, member: Member, edges: Sequence[datetime], cut: set[datetime], by: Sequence[str]
) -> Iterator[Any]:
    columns = ["meter", *by]
    named = dimensions(session.get_bind().dialect.name)
    mine = col(UsageMark.tenant_id) == member.tenant_id
    done = select(col(UsageMark.rolled_up)).where(mine).scalar_subquery()
    day_of = _days(edges, session.get_bind().dialect.name)
    # A range of the primary key for each day; so the days come first in the join.
    hour = col(UsageHour.hour)
    added_up = (
        owned(UsageHour, member)
        .where(hour >= day_of.c.begins, hour < day_of.c.ends, *([hour.not_in(cut)] if cut else []))
        .with_only_columns(
            day_of.c.number,
            *(col(getattr(UsageHour, name)).label(name) for name in columns),
            col(UsageHour.quantity).label("quantity"),
            col(UsageHour.events).label("events"),
        )
    )
    # Said of the computed hour, so that no plan reads all events of the days to find the newest.
    at = named["hour"]
    since = (
        owned(UsageEvent, member)
        .where(col(UsageEvent.serial) > func.coalesce(done, 0))
        .where(at >= day_of.c.begins, at < day_of.c.ends, *([at.not_in(cut)] if cut else []))
        .with_only_columns(
            day_of.c.number,
            *(named[name].label(name) for name in columns),
            col(UsageEvent.quantity),
            literal(1),
        )
    )
    parts = union_all(added_up, since).subquery()
    groups = [parts.c.number, *(parts.c[name] for name in columns)]
    quantity = func.sum(parts.c.quantity, type_=Quantity())
    events = func.sum(parts.c.events, type_=BigInteger())
    yield from session.execute(select(*groups, quantity, events).group_by(*groups))


def _days(edges: Sequence[datetime], dialect: str) -> CTE:
    """The days by number with their first instants and those of the next ones.

    As one parameter, so that the statement is the same for any days and is compiled once.
    """
    if dialect == "sqlite":
        texts = [[f"{edge:%Y-%m-%d %H:%M:%S.%f}" for edge in pair] for pair in pairwise(edges)]
        each = func.json_each(json.dumps(texts)).table_valued("key", "value")
        begins, ends = (
            type_coerce(func.json_extract(each.c.value, f"$[{at}]"), UtcDateTime()) for at in (0, 1)
        )
        days_of = select(each.c.key.label("number"), begins.label("begins"), ends.label("ends"))
    else:
        instant = ARRAY(UtcDateTime())
        pairs = func.unnest(literal(list(edges[:-1]), instant), literal(list(edges[1:]), instant))
        columns = column("begins", UtcDateTime), column("ends", UtcDateTime)
        each = pairs.table_valued(*columns, with_ordinality="number", name="each").render_derived()
        days_of = select((each.c.number - 1).label("number"), each.c.begins, each.c.ends)
    return days_of.cte("day")


def _single_events(
    session: Session, member: Member, edges: Sequence[datetime], cut: set[datetime], by: Sequence[str]
) -> Iterator[Any]:
    if not cut:
        return
    named = dimensions(session.get_bind().dialect.name)
    at = col(UsageEvent.at)
    within = or_(*(and_(at >= hour, at < hour + HOUR) for hour in sorted(cut)))
    events = (
        owned(UsageEvent, member)
        .where(within, at >= edges[0], at < edges[-1])
        .with_only_columns(at, col(UsageEvent.meter), *(named[name] for name in by), col(UsageEvent.quantity))
    )
    for happened, *rest in session.execute(events):
        yield (bisect_right(edges, happened) - 1, *rest, 1)
