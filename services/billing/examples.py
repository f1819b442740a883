"""What a price comes to, before it is published: worked examples, and cliffs where more costs less. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.billing.money import EXACT, Money
from services.billing.pricing import (
    GraduatedPrice,
    PackagePrice,
    Price,
    VolumePrice,
    charge,
)

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Cliff:
    """A quantity beyond which the least more costs `saves` less than the quantity itself."""

    quantity: Decimal
    saves: Money


def quantities(price: Price, *, unit: Decimal = Decimal(1000)) -> list[Decimal]:
    """Five quantities that show what a price does: none, and around where it changes."""
    match price:
        case GraduatedPrice() | VolumePrice():
            bounds = [tier.up_to for tier in price.tiers if tier.up_to is not None]
            # The free quantity and the conversion come first; bounds count what is left of them.
            factor = price.conversion.divide_by if price.conversion else Decimal(1)
            edges = [EXACT.add(EXACT.multiply(bound, factor), price.free) for bound in bounds]
            shown = [Decimal(0), *(near for edge in edges for near in (edge, edge + factor))]
            last = edges[-1] if edges else unit
            shown += [last * step for step in (2, 5, 10, 100)]
        case PackagePrice():
            size = Decimal(price.size)
            shown = [Decimal(0), *(price.free + size * step for step in (1, 2, 10, 100))]
        case _:
            shown = [Decimal(0), *(price.free + unit * step for step in (1, 10, 100, 1000))]
    return sorted(set(shown))[:EXAMPLES]


def worked(price: Price, shown: Sequence[Decimal], currency: str) -> list[Money]:
    """What each quantity of a period costs, with minimum, maximum and commitment."""
    return [charge(price, quantity, currency) for quantity in shown]


def cliffs(price: Price, currency: str) -> list[Cliff]:
    """Where one unit more makes the bill smaller; only volume tiers can."""
    if not isinstance(price, VolumePrice):
        return []
    factor = price.conversion.divide_by if price.conversion else Decimal(1)
    found = []
    for tier in price.tiers[:-1]:
        assert tier.up_to is not None
        edge = EXACT.add(EXACT.multiply(tier.up_to, factor), price.free)
        at, beyond = charge(price, edge, currency), charge(price, edge + factor, currency)
        if beyond < at:
            found.append(Cliff(edge, at - beyond))
    return found
