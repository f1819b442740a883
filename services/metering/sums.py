"""Sums of use by day of the tenant's calendar: from hours that are added up, and the events since."""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    SQLColumnExpression,
    and_,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session, col

from services.accounts.scope import Member, owned
from services.accounts.service import get_tenant
from services.db import Quantity, UtcDateTime
from services.metering.days import days, midnight
from services.metering.rollups import HOUR, dimensions
from services.metering.tables import UsageEvent, UsageHour, UsageMark

# Beyond every serial. Of a range with two ends Postgres expects few rows and takes the index; of one that is
# open it expects a third of the table, and reads all of it.
_ENDLESS = 2**63 - 1

# The number of the day that an hour lies in, and what is to hold for hours of these days.
Placed = Callable[[SQLColumnExpression[Any]], tuple[SQLColumnExpression[Any], list[ColumnElement[bool]]]]


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
) -> Sequence[Any]:
    columns = ["meter", *by]
    dialect = session.get_bind().dialect.name
    named = dimensions(dialect)
    mine = col(UsageMark.tenant_id) == member.tenant_id
    done = select(col(UsageMark.rolled_up)).where(mine).scalar_subquery()
    hour = col(UsageHour.hour)
    placed = _on_sqlite(edges) if dialect == "sqlite" else _on_postgres(edges)
    number, within = placed(hour)
    groups = [number, *(col(getattr(UsageHour, name)) for name in columns)]
    quantity, events = col(UsageHour.quantity), col(UsageHour.events)
    added_up: Any = (
        owned(UsageHour, member)
        .where(*within, *([hour.not_in(cut)] if cut else []))
        .with_only_columns(
            *groups, func.sum(quantity, type_=Quantity()), func.sum(events, type_=BigInteger())
        )
        .group_by(*groups)
    )
    # Said of the computed hour, so that no plan reads all events of the days to find the newest.
    at = named["hour"]
    number, within = placed(at)
    groups = [number, *(named[name] for name in columns)]
    since: Any = (
        owned(UsageEvent, member)
        .where(col(UsageEvent.serial) > func.coalesce(done, 0), col(UsageEvent.serial) < _ENDLESS)
        .where(*within, *([at.not_in(cut)] if cut else []))
        .with_only_columns(*groups, func.sum(col(UsageEvent.quantity)), func.count())
        .group_by(*groups)
    )
    # Not added up once more: there is hardly anything since, and to sort all of it again takes a third more.
    return session.execute(union_all(added_up, since)).all()


def _on_postgres(edges: Sequence[datetime]) -> Placed:
    """How Postgres finds the day of an hour.

    Here and on SQLite the days are one parameter: the statement is the same for any days, and compiled once.
    """
    all_edges = literal(list(edges), ARRAY(UtcDateTime()))

    def placed(hour: SQLColumnExpression[Any]) -> tuple[SQLColumnExpression[Any], list[ColumnElement[bool]]]:
        number = func.width_bucket(hour, all_edges, type_=Integer()) - 1
        return number, [hour >= edges[0], hour < edges[-1]]

    return placed


def _on_sqlite(edges: Sequence[datetime]) -> Placed:
    texts = [[f"{edge:%Y-%m-%d %H:%M:%S.%f}" for edge in pair] for pair in pairwise(edges)]
    each = func.json_each(json.dumps(texts)).table_valued("key", "value")
    begins, ends = (
        type_coerce(func.json_extract(each.c.value, f"$[{at}]"), UtcDateTime()).label(name)
        for at, name in enumerate(("begins", "ends"))
    )
    # A range of the primary key for each day; for that the days come first in the join, and are taken apart
    # once: otherwise each hour would look through all of them.
    day = select(each.c.key.label("number"), begins, ends).cte("day").prefix_with("MATERIALIZED")

    def placed(hour: SQLColumnExpression[Any]) -> tuple[SQLColumnExpression[Any], list[ColumnElement[bool]]]:
        return day.c.number, [hour >= day.c.begins, hour < day.c.ends]

    return placed


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
