"""Do an invoice's figures add up? Asked by the standing monitor, and by whoever verifies a bundle. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from services.billing.invoicing import Draft, Line
from services.billing.money import Money, rounded, total
from services.billing.pricing import Scale
from services.billing.taxation import Tax


class Differs(NamedTuple):
    """A figure that an invoice says, and what it comes to."""

    what: str
    said: Money
    found: Money


def wrong_sums(figures: Draft) -> Iterator[Differs]:
    """Figures that are not the sums of what stands above them, in the order of the invoice."""
    currency, groups = figures.currency, figures.tax_groups
    given = total((use.amount for use in figures.credits if not use.prepaid), currency)
    prepaid = total((use.amount for use in figures.credits if use.prepaid), currency)
    noted = total((use.amount for use in figures.balances), currency)
    lines = total((line.amount for line in figures.lines), currency)
    charges = total((charge.amount for charge in figures.charges), currency)
    told = {
        "subtotal": (figures.subtotal, lines + charges),
        "discount": (figures.discount, total((off.amount for off in figures.discounts), currency)),
        "credit": (figures.credit, given),
        "net amount": (figures.net, figures.subtotal - figures.discount - figures.credit),
        "sum of the taxed amounts": (figures.net, total((group.net for group in groups), currency)),
        "tax": (figures.tax, total((group.tax for group in groups), currency)),
        "total": (figures.total, figures.net + figures.tax),
        "prepaid credit": (figures.prepaid, prepaid),
        "amount to pay": (figures.payable, figures.total - noted - figures.prepaid),
    }
    for group in groups:
        tax = Tax(group.percent, group.note, group.category)
        told[f"net amount at {group.percent} %"] = group.net, group.gross - group.allowance
        told[f"tax at {group.percent} %"] = group.tax, tax.on(group.net)
    for what, (said, found) in told.items():
        if said != found:
            yield Differs(what, said, found)


def wrong_lines(figures: Draft) -> Iterator[tuple[Line, Money]]:
    """Lines that are not what their prices make their quantities, one after the other, and what that is."""
    scales: dict[tuple[str, int, str], Scale] = {}
    for line in figures.lines:
        at = line.plan, line.plan_version, line.price_key
        scale = scales.get(at) or scales.setdefault(at, Scale(line.price))
        due = rounded(scale.part(line.quantity), figures.currency)
        if line.amount != due:
            yield line, due
