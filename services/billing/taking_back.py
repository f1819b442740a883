"""Parts of an invoice that are taken back, divided over its rates of tax so that they add up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.billing.allocation import allocate
from services.billing.invoicing import TaxGroup
from services.billing.money import Money, total
from services.billing.notes import Note
from services.billing.proration import prorated


@dataclass(frozen=True, slots=True)
class Left:
    """What earlier credit notes leave of a group: before tax, and its tax."""

    group: TaxGroup
    net: Money
    tax: Money

    @property
    def gross(self) -> Money:
        """With tax."""
        return self.net + self.tax


def left_of(billed: Sequence[TaxGroup], before: Sequence[Note]) -> list[Left]:
    """What can be taken back still of an invoice's groups."""
    found = []
    for group in billed:
        back = [part for note in before for part in note.tax_groups if _of_one_rate(part, group)]
        zero = Money.zero(group.net.currency)
        net = group.net - total((part.net for part in back), zero.currency)
        tax = group.tax - total((part.tax for part in back), zero.currency)
        found.append(Left(group, max(net, zero), max(tax, zero)))
    return found


def by_net(left: Sequence[Left], net: Money) -> tuple[TaxGroup, ...]:
    """An amount before tax, and its tax: what is taken back after it, minus what was before.

    Raises:
        ValueError: nothing is left.
    """
    shares = allocate(net, [part.net.micros for part in left])
    return tuple(
        _taken(part.group, share, part.tax - _tax_of(part.group, part.net - share))
        for part, share in zip(left, shares, strict=True)
        if share.micros
    )


def by_gross(left: Sequence[Left], gross: Money) -> tuple[TaxGroup, ...]:
    """An amount with the tax that it holds, as it was sent back.

    Raises:
        ValueError: nothing is left.
    """
    shares = allocate(gross, [part.gross.micros for part in left])
    taken = []
    for part, share in zip(left, shares, strict=True):
        if share.micros:
            tax = prorated(part.tax, Fraction(share.micros, part.gross.micros))
            taken.append(_taken(part.group, share - tax, tax))
    return tuple(taken)


def _taken(group: TaxGroup, net: Money, tax: Money) -> TaxGroup:
    zero = Money.zero(net.currency)
    changes = {"gross": net, "allowance": zero, "net": net, "tax": max(tax, zero)}
    return group.model_copy(update=changes)


def _of_one_rate(one: TaxGroup, other: TaxGroup) -> bool:
    return (one.category, one.percent) == (other.category, other.percent)


def _tax_of(group: TaxGroup, net: Money) -> Money:
    return prorated(group.tax, Fraction(net.micros, group.net.micros)) if group.net.micros else group.tax
