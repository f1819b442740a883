"""Dividing an amount so that the parts add up to it: by largest remainder (Hare, 1857)."""

from collections.abc import Sequence
from decimal import Decimal

from services.billing.money import EXACT, MINOR_DIGITS, Money


def shares(units: int, weights: Sequence[int]) -> list[int]:
    """Whole units divided by weight; what is left over goes to the largest remainders, the first ones first.

    Raises:
        ValueError: a weight is negative, or none is positive.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError(f"{list(weights)} are no weights")
    sign, size = (-1 if units < 0 else 1), abs(units)
    parts = [size * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(size * weights[place] % whole), place))
    for place in by_remainder[: size - sum(parts)]:
        parts[place] += 1
    return [sign * part for part in parts]


def allocate(amount: Money, weights: Sequence[int]) -> list[Money]:
    """An amount of whole minor units, divided by weight into amounts of whole minor units.

    Raises:
        ValueError: no usable weights, or the amount has fractions of a minor unit.
    """
    digits = MINOR_DIGITS[amount.currency]
    minor = amount.amount.scaleb(digits, EXACT)
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount.amount} {amount.currency} is not rounded")
    step = int(Decimal(1).scaleb(6 - digits))
    return [Money(part * step, amount.currency) for part in shares(int(minor), weights)]


def instalments(amount: Money, count: int) -> list[Money]:
    """An amount in `count` parts that differ by at most one minor unit, larger ones first."""
    return allocate(amount, [1] * count)
