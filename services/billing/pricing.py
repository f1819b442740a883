"""How a quantity becomes an amount: the kinds of price, and the functions that rate them all.

The order is fixed, the same for every kind: the usage discount (`free`) comes off the quantity, what is left
is converted and priced, the percentage discount comes off the amount, and nothing is rounded. Minimum,
maximum and commitment hold for a period as a whole, on the sum of its rounded lines: see `adjustment`.
"""

from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.billing import tiers as in_tiers
from services.billing.commitment import Commitment
from services.billing.conversion import Conversion, Rounding
from services.billing.money import EXACT, Money, rounded
from services.billing.rates import RATE_DECIMALS, Percent, Rate
from services.billing.tiers import Tier

_NOTHING, _HUNDREDTH = Decimal(0), Decimal("0.01")


class _Price(BaseModel):
    # Strict: a float is refused, not converted.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    # Units of each period that cost nothing: the usage discount.
    free: Rate = Decimal(0)
    conversion: Conversion | None = None
    discount_percent: Percent = Decimal(0)
    # Of a period, in major units.
    minimum: Rate | None = None
    maximum: Rate | None = None
    commitment: Commitment | None = None

    @property
    def is_steady(self) -> bool:
        """Does each unit cost the same, whatever was used before, once what is free is used up?"""
        return False

    @model_validator(mode="after")
    def _bounds_agree(self) -> "_Price":
        if self.commitment is not None and not (self.minimum is None and self.maximum is None):
            raise ValueError("a commitment has no minimum and no maximum beside it")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"the minimum {self.minimum} lies above the maximum {self.maximum}")
        return self


def _is_plain(price: _Price) -> bool:
    rounds = price.conversion is not None and price.conversion.rounding is not Rounding.none
    return not rounds and price.minimum is None and price.maximum is None and price.commitment is None


class UnitPrice(_Price):
    """So much for every unit, and in proportion for a part of one."""

    kind: Literal["unit"] = "unit"
    amount: Rate

    @property
    def is_steady(self) -> bool:
        """Always, unless units are rounded or a period has bounds."""
        return _is_plain(self)


class Begun(StrEnum):
    """What a package costs that is not used up."""

    whole = "whole"  # all of it
    in_proportion = "in_proportion"  # its used part


class PackagePrice(_Price):
    """So much for every `size` units; `begun` says what part of a package costs."""

    kind: Literal["package"] = "package"
    amount: Rate
    size: int = Field(ge=1)
    begun: Begun

    @model_validator(mode="after")
    def _divides(self) -> "PackagePrice":
        if self.begun is Begun.in_proportion and self.amount != self.per_unit * self.size:
            raise ValueError(f"{self.amount} for {self.size} is no exact price of one; use another size")
        return self

    @property
    def is_steady(self) -> bool:
        """Where a begun package costs its used part."""
        return self.begun is Begun.in_proportion and _is_plain(self)

    @cached_property
    def per_unit(self) -> Decimal:
        """The price of one unit in major units, cut at RATE_DECIMALS."""
        unit = Decimal(1).scaleb(-RATE_DECIMALS)
        return EXACT.multiply(EXACT.divide_int(self.amount, EXACT.multiply(unit, Decimal(self.size))), unit)


class _TieredPrice(_Price):
    # Is the first tier's flat amount due where nothing is used? Vendors differ, so a price says it.
    flat_at_zero: bool
    tiers: tuple[Tier, ...]

    @model_validator(mode="after")
    def _covers_every_quantity(self) -> "_TieredPrice":
        in_tiers.check(self.tiers)
        return self


class GraduatedPrice(_TieredPrice):
    """Each unit at the price of its own tier.

    Raises:
        LastTierBounded, TiersOutOfOrder: the tiers leave a quantity without a price.
    """

    kind: Literal["graduated"] = "graduated"


class VolumePrice(_TieredPrice):
    """All units at the price of the tier that their sum reaches; more may cost less where a tier begins.

    Raises:
        LastTierBounded, TiersOutOfOrder: the tiers leave a quantity without a price.
    """

    kind: Literal["volume"] = "volume"


class PercentagePrice(_Price):
    """A share of a metered amount of money in major units; above 100 it is cost with a mark-up."""

    kind: Literal["percentage"] = "percentage"
    percent: Rate


Price = Annotated[
    UnitPrice | PackagePrice | GraduatedPrice | VolumePrice | PercentagePrice, Field(discriminator="kind")
]


def rate(price: Price, quantity: Decimal) -> Decimal:
    """What a period's quantity costs, exactly, in major units of the plan's currency.

    A quantity below zero costs what none costs. Minimum, maximum and commitment are not in it.
    """
    billed = max(EXACT.subtract(quantity, price.free), _NOTHING)
    if price.conversion is not None:
        billed = price.conversion.of(billed)
    cost = _undiscounted(price, billed)
    if price.discount_percent:
        cost = EXACT.multiply(cost, EXACT.multiply(100 - price.discount_percent, _HUNDREDTH))
    return cost


def _undiscounted(price: Price, billed: Decimal) -> Decimal:
    match price:
        case UnitPrice():
            return EXACT.multiply(billed, price.amount)
        case PackagePrice(begun=Begun.in_proportion):
            return EXACT.multiply(billed, price.per_unit)
        case PackagePrice():
            size = Decimal(price.size)
            begun = 1 if EXACT.remainder(billed, size) else 0
            return EXACT.multiply(EXACT.divide_int(billed, size) + begun, price.amount)
        case PercentagePrice():
            return EXACT.multiply(billed, EXACT.multiply(price.percent, _HUNDREDTH))
        case GraduatedPrice() | VolumePrice():
            if not billed and not price.flat_at_zero:
                return _NOTHING
            in_kind = in_tiers.graduated if isinstance(price, GraduatedPrice) else in_tiers.volume
            return in_kind(price.tiers, billed)
        case _:
            assert_never(price)


def rate_part(price: Price, before: Decimal, quantity: Decimal) -> Decimal:
    """What `quantity` costs on top of `before` in the same period: after minus before.

    The parts of a period therefore cost together exactly what the whole costs beyond a quantity of zero,
    whatever the kind of price. A part of a volume price can be negative: more of it may cost less.
    """
    return EXACT.subtract(rate(price, EXACT.add(before, quantity)), rate(price, before))


class Scale:
    """A price along a period: what each part costs on top of the parts that came `before` it.

    The same as `rate_part` of each, for half the work.
    """

    def __init__(self, price: Price) -> None:
        self.price, self.before = price, _NOTHING
        self._cost = rate(price, self.before)

    def part(self, quantity: Decimal) -> Decimal:
        """What so much more costs, exactly."""
        self.before = EXACT.add(self.before, quantity)
        earlier, self._cost = self._cost, rate(self.price, self.before)
        return EXACT.subtract(self._cost, earlier)


def free_part(price: Price, before: Decimal, quantity: Decimal) -> Decimal:
    """How much of `quantity`, on top of `before`, the usage discount covers."""
    return min(quantity, max(EXACT.subtract(price.free, before), _NOTHING))


def adjustment(price: Price, charged: Money) -> Money:
    """What minimum, maximum or commitment add to (or, below zero, take off) a period's rounded lines."""
    currency = charged.currency
    if price.commitment is not None:
        return price.commitment.missing(charged) + price.commitment.surcharge(charged)
    if price.minimum is not None and charged < (least := rounded(price.minimum, currency)):
        return least - charged
    if price.maximum is not None and charged > (most := rounded(price.maximum, currency)):
        return most - charged
    return Money.zero(currency)


def charge(price: Price, quantity: Decimal, currency: str) -> Money:
    """What a period's quantity comes to as one rounded line, with minimum, maximum and commitment."""
    line = rounded(rate(price, quantity), currency)
    return line + adjustment(price, line)
