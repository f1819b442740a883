"""Prices in tiers: each bound belongs to the tier below it, and the last tier has none."""

from collections.abc import Sequence
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from services.billing.money import EXACT
from services.billing.rates import Rate
from services.errors import Invalid


class Tier(BaseModel):
    """A stretch of quantities up to and with `up_to` (None: without end), and what it costs.

    `unit_amount` is the price of each unit, `flat_amount` what entering the tier costs once.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    up_to: Rate | None = None
    unit_amount: Rate = Decimal(0)
    flat_amount: Rate = Decimal(0)


class LastTierBounded(Invalid):
    """Quantities beyond the last tier would have no price."""

    code = "last_tier_bounded"

    def __init__(self) -> None:
        super().__init__(
            "The last tier ends, so that use beyond it would have no price. Leave its upper bound empty."
        )


class TiersOutOfOrder(Invalid):
    """Bounds that do not rise, or a tier without one before the last."""

    code = "tiers_out_of_order"

    def __init__(self) -> None:
        super().__init__(
            "The upper bounds of the tiers must rise from one tier to the next, and only the last is empty."
        )


def check(tiers: Sequence[Tier]) -> None:
    """Go on only with tiers that give every quantity one price.

    Raises:
        LastTierBounded: the last one ends, or there is none.
        TiersOutOfOrder: a bound does not lie above the one before.
    """
    if not tiers or tiers[-1].up_to is not None:
        raise LastTierBounded
    lower = Decimal(0)
    for tier in tiers[:-1]:
        if tier.up_to is None or tier.up_to <= lower:
            raise TiersOutOfOrder
        lower = tier.up_to


def graduated(tiers: Sequence[Tier], quantity: Decimal) -> Decimal:
    """Each unit at the price of the tier that it lies in, and the flat amount of every tier entered.

    The first tier is entered by a quantity of zero.
    """
    cost, lower = tiers[0].flat_amount, Decimal(0)
    for position, tier in enumerate(tiers):
        if position:
            if quantity <= lower:
                break
            cost = EXACT.add(cost, tier.flat_amount)
        upper = quantity if tier.up_to is None else min(quantity, tier.up_to)
        cost = EXACT.add(cost, EXACT.multiply(EXACT.subtract(upper, lower), tier.unit_amount))
        if tier.up_to is not None:
            lower = tier.up_to
    return cost


def volume(tiers: Sequence[Tier], quantity: Decimal) -> Decimal:
    """All units at the price of the tier that the whole quantity lies in, and that tier's flat amount."""
    tier = next(tier for tier in tiers if tier.up_to is None or quantity <= tier.up_to)
    return EXACT.add(EXACT.multiply(quantity, tier.unit_amount), tier.flat_amount)
