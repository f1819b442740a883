"""What a price is shown to come to before it is published."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.examples import EXAMPLES, cliffs, quantities, worked
from services.billing.money import Money
from services.billing.pricing import (
    Begun,
    GraduatedPrice,
    PackagePrice,
    Price,
    UnitPrice,
    VolumePrice,
    charge,
)
from services.billing.tiers import Tier

TIERS = (Tier(up_to=Decimal(10_000), unit_amount=Decimal("0.50")), Tier(unit_amount=Decimal("0.40")))


def test_a_cliff_is_where_one_more_makes_the_bill_smaller() -> None:
    [cliff] = cliffs(VolumePrice(tiers=TIERS, flat_at_zero=False), "USD")

    # 10,000 cost 5,000.00 and 10,001 cost 4,000.40.
    assert (cliff.quantity, cliff.saves) == (10_000, Money(999_600_000, "USD"))
    assert cliffs(GraduatedPrice(tiers=TIERS, flat_at_zero=False), "USD") == []


def test_a_free_quantity_moves_the_cliff() -> None:
    [cliff] = cliffs(VolumePrice(tiers=TIERS, flat_at_zero=False, free=Decimal(500)), "USD")

    assert cliff.quantity == 10_500


@pytest.mark.parametrize(
    "price",
    [
        UnitPrice(amount=Decimal("0.001")),
        PackagePrice(amount=Decimal("0.2"), size=1000, begun=Begun.whole, free=Decimal(500)),
        GraduatedPrice(tiers=TIERS, flat_at_zero=True),
        GraduatedPrice(tiers=TIERS[1:], flat_at_zero=True),
    ],
)
def test_five_quantities_show_what_a_price_does(price: Price) -> None:
    shown = quantities(price)

    assert len(shown) == EXAMPLES
    assert shown == sorted(set(shown))
    assert worked(price, shown, "EUR") == [charge(price, quantity, "EUR") for quantity in shown]


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 500)), min_size=1, max_size=5),
    st.integers(0, 500),
)
def test_every_cliff_is_one(steps: list[tuple[int, int]], last: int) -> None:
    bounds, tiers = 0, []
    for length, amount in steps:
        bounds += length
        tiers.append(Tier(up_to=Decimal(bounds), unit_amount=Decimal(amount)))
    price = VolumePrice(tiers=(*tiers, Tier(unit_amount=Decimal(last))), flat_at_zero=False)

    found = {cliff.quantity for cliff in cliffs(price, "EUR")}

    for quantity in range(bounds + 1):
        falls = charge(price, Decimal(quantity + 1), "EUR") < charge(price, Decimal(quantity), "EUR")
        assert falls == (quantity in found)
