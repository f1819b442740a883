"""Parts of an amount: by weight, by time, in instalments; they add up to it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing import proration
from services.billing.allocation import allocate, instalments, shares
from services.billing.money import MINOR_DIGITS, Money, total
from services.billing.proration import Legs

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


@st.composite
def amounts(draw: st.DrawFn) -> Money:
    currency = draw(CURRENCIES)
    return Money(draw(st.integers(-(10**9), 10**9)) * 10 ** (6 - MINOR_DIGITS[currency]), currency)


@given(amounts(), st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any))
def test_parts_add_up_and_each_is_within_a_coin_of_its_share(amount: Money, weights: list[int]) -> None:
    parts = allocate(amount, weights)

    coin = 10 ** (6 - MINOR_DIGITS[amount.currency])
    assert total(parts, amount.currency) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.micros * sum(weights) - amount.micros * weight) < coin * sum(weights)


@pytest.mark.parametrize(("currency", "parts"), [("EUR", 12), ("JPY", 7), ("KWD", 3)])
def test_instalments_differ_by_a_coin_at_most(currency: str, parts: int) -> None:
    found = instalments(Money(1_000_000_000, currency), parts)

    assert total(found, currency) == Money(1_000_000_000, currency)
    assert max(found).micros - min(found).micros <= 10 ** (6 - MINOR_DIGITS[currency])


@pytest.mark.parametrize("weights", [[], [0, 0], [-1, 2]])
def test_weights_that_divide_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError):
        shares(5, weights)


def test_an_amount_between_two_coins_is_not_divided() -> None:
    with pytest.raises(ValueError, match="not rounded"):
        allocate(Money(1, "EUR"), [1, 1])


@given(amounts(), amounts(), st.integers(-5, 30 * 86_400 + 5))
def test_legs_are_rounded_apart_and_stay_within_the_fees(old: Money, new: Money, second: int) -> None:
    old, new = Money(abs(old.micros), old.currency), Money(abs(new.micros), new.currency)
    at = START + timedelta(seconds=second)

    legs = proration.change(old=old, new=new, start=START, at=at, end=END)

    assert Money.zero(old.currency) <= legs.credit <= old
    assert Money.zero(new.currency) <= legs.debit <= new
    coins = [10 ** (6 - MINOR_DIGITS[leg.currency]) for leg in (legs.credit, legs.debit)]
    assert [leg.micros % coin for leg, coin in zip((legs.credit, legs.debit), coins, strict=True)] == [0, 0]


def test_a_change_at_either_end_is_all_or_nothing() -> None:
    old, new = Money(10_000_000, "EUR"), Money(20_000_000, "EUR")

    assert proration.change(old=old, new=new, start=START, at=START, end=END) == Legs(old, new)
    assert proration.change(old=old, new=new, start=START, at=END, end=END) == Legs(
        Money.zero("EUR"), Money.zero("EUR")
    )


@given(amounts(), st.integers(0, 30 * 86_400))
def test_a_change_to_the_same_fee_costs_nothing(fee: Money, second: int) -> None:
    at = START + timedelta(seconds=second)

    assert proration.change(old=fee, new=fee, start=START, at=at, end=END).net.micros == 0
