"""A quote is a range, and a charge is what the invoice will say."""

from decimal import Decimal

import pytest
from sqlmodel import Session

from services.accounts.scope import Member
from services.billing import service as billing
from services.billing.money import MICROS, Money
from services.billing.plans import NotSold
from tests.services.billing.factories import record


def euros(amount: str) -> Money:
    return Money(int(Decimal(amount) * MICROS), "EUR")


def test_a_quote_prices_both_ends_of_the_range(session: Session, member: Member) -> None:
    quote = billing.quote(session, member, seconds_low=60, seconds_high=300, device_class="cuda")

    assert (quote.low, quote.high) == (euros("0.12"), euros("0.60"))
    assert (quote.seconds_low, quote.seconds_high) == (60, 300)


def test_a_device_that_is_not_sold_is_not_quoted(session: Session, member: Member) -> None:
    with pytest.raises(NotSold):
        billing.quote(session, member, seconds_low=1, seconds_high=2, device_class="abacus")


def test_the_longest_time_of_a_quote_costs_its_high_figure(session: Session, member: Member) -> None:
    quote = billing.quote(session, member, seconds_low=1, seconds_high=311, device_class="cpu")

    longest = billing.training_charge(session, member, seconds=Decimal(311), device_class="cpu")
    shorter = billing.training_charge(session, member, seconds=Decimal("310.999"), device_class="cpu")

    assert longest == quote.high
    assert shorter <= quote.high


def test_a_charge_is_what_the_invoice_line_will_say(session: Session, member: Member) -> None:
    record(session, member, seconds="1234.567")

    charge = billing.training_charge(session, member, seconds=Decimal("1234.567"), device_class="cuda")

    assert charge == billing.month_spend(session, member) == euros("2.47")


def test_predictions_are_charged_in_proportion(session: Session, member: Member) -> None:
    assert billing.predictions_charge(session, member, texts=1_250) == euros("0.25")


def test_generated_tokens_are_charged_in_proportion(session: Session, member: Member) -> None:
    assert billing.generation_charge(session, member, tokens=250_000) == euros("0.50")
