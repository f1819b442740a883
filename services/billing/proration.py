"""Part of a period's fee: per second, each leg rounded once, at an instant that a preview pins."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from services.billing.money import MINOR_DIGITS, Money

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Legs:
    """What a change within a period does: `credit` comes back of the old, `debit` is due for the new."""

    credit: Money
    debit: Money

    @property
    def net(self) -> Money:
        """What is due in sum; below zero it is owed to the customer."""
        return self.debit - self.credit


def prorated(amount: Money, part: Fraction) -> Money:
    """A part of an amount, rounded half away from zero to the minor unit."""
    step = 10 ** (6 - MINOR_DIGITS[amount.currency])
    exact = Fraction(amount.micros, step) * part
    # Of integers, so that a third is a third until here.
    whole, rest = divmod(abs(exact.numerator), exact.denominator)
    whole += 2 * rest >= exact.denominator
    return Money(int(whole) * step * (-1 if exact < 0 else 1), amount.currency)


def remaining(start: datetime, at: datetime, end: datetime) -> Fraction:
    """The part of a period that lies behind an instant, in whole seconds; a begun second counts as passed."""
    length, passed = (end - start) // _SECOND, -((start - at) // _SECOND)
    return Fraction(min(max(length - passed, 0), length), length)


def change(*, old: Money, new: Money, start: datetime, at: datetime, end: datetime) -> Legs:
    """The legs of going from one fee to another; both fees are those after their discounts."""
    left = remaining(start, at, end)
    return Legs(credit=prorated(old, left), debit=prorated(new, left))


def restart(*, old: Money, new: Money, start: datetime, at: datetime, end: datetime) -> Legs:
    """The legs of changing the period's length: the rest of the old comes back, a full new one begins."""
    return Legs(credit=prorated(old, remaining(start, at, end)), debit=new)
