"""A quote is a range, and nobody is billed beyond its high end."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from services.accounts.scope import Member
from services.billing import service as billing
from services.billing.money import MICROS, Money
from services.billing.plans import PAY_AS_YOU_GO, NotSold
from services.billing.quoting import charged, most_within


def euros(amount: str) -> Money:
    return Money(int(Decimal(amount) * MICROS), "EUR")


def test_a_quote_prices_both_ends_of_the_range(session: Session, member: Member) -> None:
    quote = billing.quote(session, member, seconds_low=60, seconds_high=300, device_class="cuda")

    assert (quote.low, quote.high) == (euros("0.12"), euros("0.60"))
    assert (quote.seconds_low, quote.seconds_high) == (60, 300)


def test_a_device_that_is_not_sold_is_not_quoted(session: Session, member: Member) -> None:
    with pytest.raises(NotSold):
        billing.quote(session, member, seconds_low=1, seconds_high=2, device_class="abacus")


def test_a_job_within_its_quote_is_billed_what_it_took(session: Session, member: Member) -> None:
    billed, micros = billing.charge(
        session, member, seconds=Decimal("299.999"), device_class="cuda", most=euros("0.60").micros
    )

    assert (billed, micros) == (Decimal("299.999"), euros("0.60").micros)


def test_a_job_beyond_its_quote_is_billed_the_quote(session: Session, member: Member) -> None:
    billed, micros = billing.charge(
        session, member, seconds=Decimal("4000"), device_class="cuda", most=euros("0.60").micros
    )

    assert micros == euros("0.60").micros
    assert billed == Decimal("302.499")  # 302.5 s would round to 0.61


def test_predictions_are_charged_in_proportion(session: Session, member: Member) -> None:
    assert billing.predictions_charge(session, member, texts=1_250) == euros("0.25")


@given(
    st.sampled_from(["cpu", "cuda"]),
    st.decimals("0", "1e6", places=3),
    st.integers(0, 10_000).map(lambda c: c * 10_000),
)
def test_the_most_within_a_limit_keeps_to_it_and_no_more_would(
    device: str, seconds: Decimal, micros: int
) -> None:
    properties, limit = {"device_class": device}, Money(micros, "EUR")

    billed = most_within(PAY_AS_YOU_GO, "training_seconds", properties, seconds, limit)

    assert 0 <= billed <= seconds
    assert charged(PAY_AS_YOU_GO, "training_seconds", properties, billed) <= limit
    if billed < seconds:
        more = billed + Decimal("0.001")
        assert charged(PAY_AS_YOU_GO, "training_seconds", properties, more) > limit
