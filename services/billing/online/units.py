"""Amounts as Stripe counts them, which is not always as ISO 4217 does.

Source: https://docs.stripe.com/currencies, sections "Zero-decimal currencies", "Three-decimal currencies" and
"Special cases".
"""

from services.billing.money import MINOR_DIGITS, Money
from services.billing.payment_errors import NotPayableOnline

# Without decimals by ISO 4217, and told to Stripe with two that are always 00: 5 ISK are 500.
_STILL_TWO = frozenset({"ISK", "UGX"})
# Of three decimals the last one must be 0 there.
_TENS = 3
# Currencies that we invoice in and Stripe does not charge in.
_NOT_CHARGED = frozenset({"IQD", "LYD"})


def to_stripe(amount: Money) -> int:
    """An amount in the unit that Stripe's `amount` has.

    Raises:
        NotPayableOnline: it cannot be charged there exactly.
    """
    if amount.currency in _NOT_CHARGED:
        raise NotPayableOnline(f"payments in {amount.currency} are not taken there")
    units, rest = divmod(amount.micros, _size(amount.currency))
    if rest or (MINOR_DIGITS[amount.currency] == _TENS and units % 10):
        raise NotPayableOnline(f"{amount} is finer than what can be charged there")
    return units


def from_stripe(units: int, currency: str) -> Money:
    """What an `amount` of Stripe's is worth; the currency as Stripe writes it, in small letters.

    Raises:
        UnknownCurrency: nothing is invoiced in it.
    """
    written = currency.upper()
    return Money(units * (_size(written) if written in MINOR_DIGITS else 1), written)


def _size(currency: str) -> int:
    """Micro-units in one of Stripe's units."""
    size: int = 10 ** (6 - (2 if currency in _STILL_TWO else MINOR_DIGITS[currency]))
    return size
