"""Prices: worked figures, and what holds for every quantity."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.billing.money import EXACT, rounded
from services.billing.pricing import Begun, PackagePrice, Price, UnitPrice, free_part, rate, rate_part


def unit(amount: str, free: str = "0") -> UnitPrice:
    return UnitPrice(amount=Decimal(amount), free=Decimal(free))


def package(amount: str, size: int, begun: Begun = Begun.whole, free: str = "0") -> PackagePrice:
    return PackagePrice(amount=Decimal(amount), size=size, begun=begun, free=Decimal(free))


@pytest.mark.parametrize(
    ("price", "quantity", "amount"),
    [
        (unit("0.002"), "312.48", "0.62496"),
        (unit("0.002"), "0", "0"),
        (unit("100"), "10", "1000"),
        (unit("0.00000000000001"), "1000000000000", "0.01"),
        (unit("1", free="10"), "5", "0"),
        (unit("1", free="10"), "10", "0"),
        (unit("1", free="10"), "10.5", "0.5"),
        (package("10", 5), "0", "0"),
        (package("10", 5), "1", "10"),
        (package("10", 5), "5", "10"),
        (package("10", 5), "5.000001", "20"),
        (package("10", 60), "150", "30"),
        (package("15", 10), "19", "30"),
        (package("10", 1000, free="400"), "1400", "10"),
        (package("10", 1000, free="400"), "1401", "20"),
        (package("0.20", 1000, Begun.in_proportion), "1", "0.0002"),
        (package("0.20", 1000, Begun.in_proportion), "18231", "3.6462"),
    ],
)
def test_a_quantity_costs_exactly_this(price: Price, quantity: str, amount: str) -> None:
    assert rate(price, Decimal(quantity)) == Decimal(amount)


def test_the_free_quantity_is_used_up_once_in_a_period() -> None:
    price = unit("1", free="500")
    before, billed = Decimal(0), []
    for quantity in map(Decimal, (300, 250, 100)):
        billed.append((rate_part(price, before, quantity), free_part(price, before, quantity)))
        before += quantity

    assert billed == [(0, 300), (50, 200), (100, 0)]


def test_a_package_begun_by_one_part_is_not_paid_again_by_the_next() -> None:
    price = package("15", 10)

    assert rate_part(price, Decimal(17), Decimal(3)) == 0
    assert rate_part(price, Decimal(17), Decimal(5)) == 15


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "0.000000000000001", "sNaN"])
def test_a_rate_that_is_no_price_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError):
        unit(amount)


@pytest.mark.parametrize("amount", [0.1, 1, "1"])
def test_a_rate_is_a_decimal_and_nothing_like_it(amount: object) -> None:
    with pytest.raises(ValidationError):
        UnitPrice(amount=amount)  # type: ignore[arg-type]


def test_a_package_price_without_an_exact_price_of_one_is_refused_in_proportion() -> None:
    with pytest.raises(ValidationError, match="no exact price of one"):
        package("1", 3, Begun.in_proportion)


@pytest.mark.parametrize("price", [unit("0.002", free="1.5"), package("0.20", 1000, Begun.in_proportion)])
def test_a_price_survives_json(price: Price) -> None:
    assert type(price).model_validate_json(price.model_dump_json()) == price


QUANTITIES = st.decimals("0", "1e12", places=6)
PRICES: st.SearchStrategy[Price] = st.one_of(
    st.builds(UnitPrice, amount=st.decimals("0", "1e6", places=14), free=st.decimals("0", "1e6", places=6)),
    st.builds(
        PackagePrice,
        amount=st.decimals("0", "1e6", places=11),
        size=st.sampled_from([1, 10, 1000]),
        begun=st.sampled_from(Begun),
        free=st.decimals("0", "1e6", places=6),
    ),
)


@given(PRICES, QUANTITIES, QUANTITIES)
def test_more_never_costs_less(price: Price, some: Decimal, more: Decimal) -> None:
    low, high = sorted((some, more))

    assert 0 <= rate(price, low) <= rate(price, high)
    assert rounded(rate(price, low), "EUR") <= rounded(rate(price, high), "EUR")


@given(PRICES, st.lists(st.decimals("0", "1e9", places=6), max_size=8))
def test_parts_cost_together_what_the_whole_costs(price: Price, parts: list[Decimal]) -> None:
    before, cost, free = Decimal(0), Decimal(0), Decimal(0)
    for part in parts:
        cost = EXACT.add(cost, rate_part(price, before, part))
        free += free_part(price, before, part)
        before += part

    assert cost == rate(price, before)
    assert free == min(before, price.free)
