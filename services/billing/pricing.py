"""How a quantity becomes an amount: the kinds of price, and one function that rates them all.

Conventions, the same for every kind: quantities are those of a whole period, a usage discount (`free`) comes
off the quantity before anything else, nothing is rounded here, and a quantity of zero costs nothing.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.billing.money import EXACT

# Twelve decimals of a minor unit that itself is a hundredth.
RATE_DECIMALS = 14

Rate = Annotated[Decimal, Field(ge=0, allow_inf_nan=False, max_digits=30, decimal_places=RATE_DECIMALS)]


class _Price(BaseModel):
    # Strict: a float is refused, not converted.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    # Units of each period that cost nothing.
    free: Rate = Decimal(0)


class UnitPrice(_Price):
    """So much for every unit, and in proportion for a part of one."""

    kind: Literal["unit"] = "unit"
    amount: Rate


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
    def per_unit(self) -> Decimal:
        """The price of one unit in major units, cut at RATE_DECIMALS."""
        unit = Decimal(1).scaleb(-RATE_DECIMALS)
        return EXACT.multiply(EXACT.divide_int(self.amount, EXACT.multiply(unit, Decimal(self.size))), unit)


Price = UnitPrice | PackagePrice


def rate(price: Price, quantity: Decimal) -> Decimal:
    """What a period's quantity costs, exactly, in major units of the plan's currency."""
    billed = EXACT.subtract(quantity, price.free)
    if billed <= 0:
        return Decimal(0)
    match price:
        case UnitPrice():
            return EXACT.multiply(billed, price.amount)
        case PackagePrice(begun=Begun.in_proportion):
            return EXACT.multiply(billed, price.per_unit)
        case PackagePrice():
            # The remainder keeps the sign of `billed`, which is positive.
            size = Decimal(price.size)
            begun = 1 if EXACT.remainder(billed, size) else 0
            return EXACT.multiply(EXACT.divide_int(billed, size) + begun, price.amount)
        case _:
            assert_never(price)


def rate_part(price: Price, before: Decimal, quantity: Decimal) -> Decimal:
    """What `quantity` costs on top of `before` in the same period: after minus before.

    The parts of a period therefore cost together exactly what the whole costs, whatever the kind of price.
    """
    return EXACT.subtract(rate(price, EXACT.add(before, quantity)), rate(price, before))


def free_part(price: Price, before: Decimal, quantity: Decimal) -> Decimal:
    """How much of `quantity`, on top of `before`, the usage discount covers."""
    return min(quantity, max(EXACT.subtract(price.free, before), Decimal(0)))
