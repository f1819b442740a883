"""How the events of a period become one figure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction

_HOUR = timedelta(hours=1)
# What the ledger's columns hold exactly.
_SCALE = 10**6


class Aggregation(Enum):
    """How the events of a period become one figure.

    Largest and distinct values are those of the whole period: those of its parts do not add up.
    """

    sum = "sum"
    count = "count"
    max = "max"
    unique = "unique"  # how many different values
    latest = "latest"
    time_weighted = "time_weighted"  # a level, times the hours for which it stood


@dataclass(frozen=True, slots=True)
class Reading:
    """What one event says of a meter: a quantity at an instant, or a value to be told from others."""

    at: datetime
    quantity: Decimal
    value: str = ""


def aggregated(how: Aggregation, readings: Iterable[Reading], *, start: datetime, end: datetime) -> Decimal:
    """The one figure of the readings from `start` up to, and without, `end`; in any order.

    A level stands until the next reading, so of levels those before `start` matter too. Hours are counted to
    the microsecond and the figure is cut to millionths, in favour of whoever pays.
    """
    # Of two readings at one instant the larger counts last, whatever the order in which they came.
    ordered = sorted(readings, key=lambda reading: (reading.at, reading.quantity))
    if how is Aggregation.time_weighted:
        return _weighted(ordered, start, end)
    within = [reading for reading in ordered if start <= reading.at < end]
    match how:
        case Aggregation.sum:
            return sum((reading.quantity for reading in within), Decimal(0))
        case Aggregation.count:
            return Decimal(len(within))
        case Aggregation.max:
            return max((reading.quantity for reading in within), default=Decimal(0))
        case Aggregation.unique:
            return Decimal(len({reading.value for reading in within}))
        case Aggregation.latest:
            return within[-1].quantity if within else Decimal(0)


def _weighted(ordered: list[Reading], start: datetime, end: datetime) -> Decimal:
    total = Fraction(0)
    # Between two instants of one zone Python subtracts wall clocks, which jump twice a year.
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    next_at = [*(reading.at.astimezone(UTC) for reading in ordered), end]
    for place, reading in enumerate(ordered):
        since, until = max(next_at[place], start), min(next_at[place + 1], end)
        if since < until:
            total += Fraction(reading.quantity) * ((until - since) // timedelta(microseconds=1))
    per_hour = total.denominator * (_HOUR // timedelta(microseconds=1))
    return Decimal(total.numerator * _SCALE // per_hour).scaleb(-6)
