"""A promise to spend at least so much: what is missing is made up, what goes beyond may cost more."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from services.billing.money import EXACT, Money, rounded
from services.billing.rates import Rate


class Commitment(BaseModel):
    """An amount in major units that is paid in any case; use beyond it costs so many times as much."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    amount: Rate
    overage_factor: Rate = Field(default=Decimal(1), ge=1)

    def missing(self, used: Money) -> Money:
        """What makes use up to the commitment, at the end of its term."""
        promised = rounded(self.amount, used.currency)
        return max(promised - used, Money.zero(used.currency))

    def surcharge(self, used: Money) -> Money:
        """What use beyond the commitment costs on top of its price."""
        beyond = max(used - rounded(self.amount, used.currency), Money.zero(used.currency))
        return rounded(EXACT.multiply(beyond.amount, self.overage_factor - 1), used.currency)

    def surcharge_part(self, before: Money, used: Money) -> Money:
        """The surcharge of a part of the term, on top of what was used `before`: after minus before."""
        return self.surcharge(before + used) - self.surcharge(before)
