"""Sums over the ledger, by day of the tenant's calendar; the same statements on both databases."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import SQLColumnExpression, case, func, select
from sqlmodel import Session, col

from services.accounts.scope import Member, owned
from services.accounts.service import get_tenant
from services.metering.days import days, midnight
from services.metering.tables import UsageEvent


def instants(session: Session, member: Member, first: date, last: date) -> tuple[datetime, datetime]:
    """The instants between which the days from `first` to `last` lie; the second is outside.

    Raises:
        UnusableDays: no range, or too long a one.
    """
    days(first, last)
    zone = get_tenant(session, member).time_zone
    return midnight(first, zone), midnight(last + timedelta(days=1), zone)


def summed(
    session: Session, member: Member, first: date, last: date, columns: Sequence[SQLColumnExpression[Any]]
) -> list[tuple[Any, ...]]:
    """Rows of day, meter, the given columns, sum of the quantities and count of the events.

    Raises:
        UnusableDays: no range, or too long a one.
    """
    zone = get_tenant(session, member).time_zone
    every_day = days(first, last)
    edges = [midnight(day + timedelta(days=1), zone) for day in every_day]
    at = col(UsageEvent.at)
    # Neither database need know time zones, and days of 23 and 25 hours come out right.
    number = case(*((at < edge, number) for number, edge in enumerate(edges)), else_=-1)
    named: list[Any] = [column.label(f"column_{position}") for position, column in enumerate(columns)]
    events = (
        owned(UsageEvent, member)
        .where(at >= midnight(first, zone), at < edges[-1])
        .with_only_columns(number.label("day"), col(UsageEvent.meter), *named, col(UsageEvent.quantity))
        .subquery()
    )
    groups = [events.c.day, events.c.meter, *(events.c[column.name] for column in named)]
    rows = session.execute(select(*groups, func.sum(events.c.quantity), func.count()).group_by(*groups))
    return [(every_day[day], *rest) for day, *rest in rows]
