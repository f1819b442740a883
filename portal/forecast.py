"""What a month will come to: pure arithmetic on the spend of its days."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, pstdev

from services.billing.invoicing import Charge, ChargeKind

# Days that tell the pace; before there are so many, those of the month before help.
_LOOK_BACK = 28
# Of eight months in ten the end lies in between, if days are as they were (normal distribution).
_WITHIN_80_PERCENT = 1.2816


@dataclass(frozen=True)
class Forecast:
    """The month's end, in major units, in eight cases of ten between low and high."""

    low: float
    likely: float
    high: float


def month_end(before: Sequence[float], so_far: Sequence[float], days_left: int) -> Forecast | None:
    """The spend at the end of the month; None where nothing tells the pace.

    `before` are the days of the month before, `so_far` those of this one up to today, `days_left` those after
    today. Today is not over: it tells nothing of the pace, and what it lacks of it is still to come.
    """
    whole_days = [*before, *so_far[:-1]][-_LOOK_BACK:]
    if not whole_days or not any(whole_days):
        return None
    pace, spread = mean(whole_days), pstdev(whole_days)
    today = so_far[-1] if so_far else 0.0
    spent = sum(so_far)
    to_come = days_left * pace + max(pace - today, 0.0)
    around = _WITHIN_80_PERCENT * spread * sqrt(days_left + 1)
    return Forecast(spent + max(to_come - around, 0.0), spent + to_come, spent + to_come + around)


def beside_use(charges: Sequence[Charge]) -> tuple[float, float]:
    """What a month costs whatever is used, and what is missing of a commitment so far, in major units."""
    missing = sum(float(charge.amount.amount) for charge in charges if charge.kind is ChargeKind.true_up)
    return sum(float(charge.amount.amount) for charge in charges) - missing, missing


def with_charges(forecast: Forecast, *, fixed: float, least: float) -> Forecast:
    """The month's end with what is charged beside use; a commitment makes use up to `least`."""
    low, likely, high = (fixed + max(end, least) for end in (forecast.low, forecast.likely, forecast.high))
    return Forecast(low, likely, high)
