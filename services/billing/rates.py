"""The decimals that prices are made of."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

# Twelve decimals of a minor unit that itself is a hundredth.
RATE_DECIMALS = 14

Rate = Annotated[Decimal, Field(ge=0, allow_inf_nan=False, max_digits=30, decimal_places=RATE_DECIMALS)]
Percent = Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False, decimal_places=6)]
