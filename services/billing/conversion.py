"""Units of a meter as units of a price: tokens are counted, thousands of them are sold."""

from decimal import Decimal, Inexact
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.billing.money import EXACT
from services.billing.rates import Rate


class Rounding(StrEnum):
    """What becomes of a part of a sold unit."""

    none = "none"  # it is sold as a part
    up = "up"
    down = "down"
    half_up = "half_up"


class Conversion(BaseModel):
    """So many of the meter's units are one unit of the price."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    divide_by: Rate = Field(gt=0)
    rounding: Rounding

    @model_validator(mode="after")
    def _divides(self) -> "Conversion":
        if self.rounding is Rounding.none:
            try:
                EXACT.divide(Decimal(1), self.divide_by)
            except Inexact:
                raise ValueError(f"parts of {self.divide_by} have no exact decimals; round them") from None
        return self

    def of(self, quantity: Decimal) -> Decimal:
        """A quantity of the meter, which is not negative, in units of the price."""
        if self.rounding is Rounding.none:
            return EXACT.divide(quantity, self.divide_by)
        whole, rest = EXACT.divide_int(quantity, self.divide_by), EXACT.remainder(quantity, self.divide_by)
        match self.rounding:
            case Rounding.up:
                return whole + (1 if rest else 0)
            case Rounding.half_up:
                return whole + (1 if EXACT.multiply(rest, Decimal(2)) >= self.divide_by else 0)
            case _:
                return whole
