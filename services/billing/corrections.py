"""Use that was told after its month was invoiced: a visible correction on the next invoice."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from services.billing.invoicing import Charge, ChargeKind, Draft
from services.billing.money import Money
from services.billing.period import Month
from services.billing.taxation import TaxCode


class _Sold(NamedTuple):
    title: str
    price: str
    tax_code: TaxCode


def corrections(
    number: str, month: Month, *, billed: Draft, now: Draft, made_before: Iterable[Charge]
) -> list[Charge]:
    """The difference, for each price, between what a month comes to now and what was billed for it.

    `number` is its invoice, `made_before` the corrections of later invoices; other invoices' are left aside.
    """
    zero = Money.zero(billed.currency)
    differences: dict[_Sold, Money] = defaultdict(lambda: zero)
    for place, amount in _by_price(now):
        differences[place] += amount
    for place, amount in _by_price(billed):
        differences[place] -= amount
    for charge in made_before:
        if charge.kind is ChargeKind.correction and charge.corrects == number:
            for place in differences:
                if place.price == charge.source:
                    differences[place] -= charge.amount
    return [
        Charge(
            key=f"{ChargeKind.correction}:{number}:{place.price}",
            kind=ChargeKind.correction,
            title=f"{place.title}: late use of {month.first:%B %Y}",
            first_day=month.first,
            last_day=month.last,
            source=place.price,
            corrects=number,
            tax_code=place.tax_code,
            amount=amount,
        )
        for place, amount in sorted(differences.items())
        if amount.micros
    ]


def _by_price(figures: Draft) -> Iterable[tuple[_Sold, Money]]:
    for line in figures.lines:
        yield _Sold(line.title, line.price_key, line.tax_code), line.amount
    for charge in figures.charges:
        if charge.is_of_price:
            yield _Sold(charge.title.rpartition(": ")[0], charge.source, charge.tax_code), charge.amount
