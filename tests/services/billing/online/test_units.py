"""Amounts as Stripe counts them."""

from decimal import Decimal

import pytest

from services.billing.money import MINOR_DIGITS, Money
from services.billing.online.units import from_stripe, to_stripe
from services.billing.payment_errors import NotPayableOnline


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("11.90", "EUR", 1190),
        ("500", "JPY", 500),
        ("5", "ISK", 500),
        ("5", "UGX", 500),
        ("10.45", "HUF", 1045),
        ("800.45", "TWD", 80045),
        ("5.120", "KWD", 5120),
        ("0.010", "TND", 10),
    ],
)
def test_amounts_are_told_as_stripe_counts_them(amount: str, currency: str, units: int) -> None:
    money = Money(int(Decimal(amount) * 10**6), currency)

    assert to_stripe(money) == units
    assert from_stripe(units, currency.lower()) == money


@pytest.mark.parametrize(
    ("amount", "currency"), [("5.124", "KWD"), ("1", "IQD"), ("1", "LYD"), ("0.001", "EUR")]
)
def test_what_cannot_be_charged_exactly_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(NotPayableOnline):
        to_stripe(Money(int(Decimal(amount) * 10**6), currency))


def test_every_currency_there_and_back_is_the_same() -> None:
    for currency in set(MINOR_DIGITS) - {"IQD", "LYD"}:
        money = Money(1_230 * 10**6, currency)
        assert from_stripe(to_stripe(money), currency.lower()) == money
