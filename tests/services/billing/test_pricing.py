"""Prices: worked figures, and what holds for every quantity."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.billing.commitment import Commitment
from services.billing.conversion import Conversion, Rounding
from services.billing.money import EXACT, Money, rounded
from services.billing.pricing import (
    Begun,
    GraduatedPrice,
    PackagePrice,
    PercentagePrice,
    Price,
    UnitPrice,
    VolumePrice,
    adjustment,
    charge,
    free_part,
    rate,
    rate_part,
)
from services.billing.tiers import LastTierBounded, Tier, TiersOutOfOrder


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
RATES = st.decimals("0", "1e6", places=6)


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    bounds = sorted(draw(st.sets(st.decimals("0.000001", "1e6", places=6), max_size=4)))
    return tuple(
        Tier(up_to=bound, unit_amount=draw(RATES), flat_amount=draw(RATES)) for bound in (*bounds, None)
    )


COMMON = {
    "free": RATES,
    "discount_percent": st.decimals("0", "100", places=2),
    "conversion": st.none()
    | st.builds(
        Conversion, divide_by=st.sampled_from([Decimal(3), Decimal("0.7")]), rounding=st.just(Rounding.up)
    )
    | st.builds(Conversion, divide_by=st.just(Decimal(1000)), rounding=st.sampled_from(Rounding)),
}
RISING: st.SearchStrategy[Price] = st.one_of(
    st.builds(UnitPrice, amount=st.decimals("0", "1e6", places=14), **COMMON),
    st.builds(
        PackagePrice,
        amount=st.decimals("0", "1e6", places=11),
        size=st.sampled_from([1, 10, 1000]),
        begun=st.sampled_from(Begun),
        **COMMON,
    ),
    st.builds(PercentagePrice, percent=RATES, **COMMON),
    st.builds(GraduatedPrice, tiers=tiers(), flat_at_zero=st.booleans(), **COMMON),
)
PRICES = RISING | st.builds(VolumePrice, tiers=tiers(), flat_at_zero=st.booleans(), **COMMON)


@given(RISING, QUANTITIES, QUANTITIES)
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

    assert cost == EXACT.subtract(rate(price, before), rate(price, Decimal(0)))
    assert free == min(before, price.free)


@pytest.mark.parametrize(
    ("bounds", "refusal"),
    [
        ((), LastTierBounded),
        (("5",), LastTierBounded),
        (("5", "10"), LastTierBounded),
        (("5", "5", None), TiersOutOfOrder),
        (("5", None, None), TiersOutOfOrder),
        (("0", None), TiersOutOfOrder),
    ],
)
@pytest.mark.parametrize("kind", [GraduatedPrice, VolumePrice])
def test_tiers_that_leave_a_quantity_without_a_price_are_refused(
    kind: type[GraduatedPrice], bounds: tuple[str | None, ...], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        kind(tiers=tuple(Tier(up_to=bound and Decimal(bound)) for bound in bounds), flat_at_zero=False)  # type: ignore[arg-type]


def test_whether_the_first_flat_amount_is_due_at_zero_is_said_by_the_price() -> None:
    tiers = (Tier(flat_amount=Decimal(10)),)

    with pytest.raises(ValidationError):
        GraduatedPrice(tiers=tiers)  # type: ignore[call-arg]
    assert rate(GraduatedPrice(tiers=tiers, flat_at_zero=True), Decimal(0)) == 10
    assert rate(GraduatedPrice(tiers=tiers, flat_at_zero=False), Decimal(0)) == 0
    assert rate(GraduatedPrice(tiers=tiers, flat_at_zero=False), Decimal("0.000001")) == 10


def test_the_order_is_free_then_conversion_then_price_then_discount_then_minimum() -> None:
    price = UnitPrice(
        amount=Decimal(10),
        free=Decimal(500),
        conversion=Conversion(divide_by=Decimal(1000), rounding=Rounding.up),
        discount_percent=Decimal(50),
        minimum=Decimal("7.5"),
    )

    # 1,600 less 500 are two thousands begun, at 10 each, at half.
    assert rate(price, Decimal(1600)) == 10
    assert charge(price, Decimal(1500), "EUR") == Money(7_500_000, "EUR")


def test_a_commitment_is_made_up_and_what_goes_beyond_costs_its_factor() -> None:
    price = UnitPrice(
        amount=Decimal(1), commitment=Commitment(amount=Decimal(100), overage_factor=Decimal("1.5"))
    )

    charges = [charge(price, Decimal(quantity), "EUR").amount for quantity in (0, 40, 100, 140)]

    assert charges == [100, 100, 100, 160]


@pytest.mark.parametrize(
    ("rounding", "units"),
    [(Rounding.none, "1.5"), (Rounding.up, "2"), (Rounding.down, "1"), (Rounding.half_up, "2")],
)
def test_units_of_a_meter_become_units_of_a_price(rounding: str, units: str) -> None:
    assert Conversion(divide_by=Decimal(1000), rounding=Rounding(rounding)).of(Decimal(1500)) == Decimal(
        units
    )


def test_a_conversion_without_exact_parts_is_refused() -> None:
    with pytest.raises(ValidationError, match="no exact decimals"):
        Conversion(divide_by=Decimal(3), rounding=Rounding.none)


def test_bounds_that_contradict_one_another_are_refused() -> None:
    with pytest.raises(ValidationError, match="lies above"):
        UnitPrice(amount=Decimal(1), minimum=Decimal(2), maximum=Decimal(1))
    with pytest.raises(ValidationError, match="no minimum"):
        UnitPrice(amount=Decimal(1), minimum=Decimal(2), commitment=Commitment(amount=Decimal(1)))


@given(PRICES, QUANTITIES)
def test_any_price_survives_json(price: Price, quantity: Decimal) -> None:
    again = type(price).model_validate_json(price.model_dump_json())

    assert again == price
    assert rate(again, quantity) == rate(price, quantity)


@given(RISING, st.integers(0, 10**12), st.integers(0, 10**12))
def test_minimum_and_maximum_hold_the_sum_of_lines(price: Price, cents: int, bound: int) -> None:
    charged = Money(cents * 10_000, "EUR")
    least = price.model_copy(update={"minimum": Decimal(bound)})
    most = price.model_copy(update={"maximum": Decimal(bound)})

    assert charged + adjustment(least, charged) == max(charged, Money(bound * 10**6, "EUR"))
    assert charged + adjustment(most, charged) == min(charged, Money(bound * 10**6, "EUR"))
