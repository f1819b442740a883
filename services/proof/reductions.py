"""Checks of what comes off an invoice: coupons and credit, taken off again from what was agreed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from services.billing.coupons import discounts
from services.billing.drafting import as_credit
from services.billing.invoicing import CreditUse
from services.billing.money import Money, total
from services.billing.rating import given_to, prepaid_of
from services.billing.snapshot import Snapshot
from services.billing.tables import CreditGrant
from services.proof.fault import Fault, Wrong
from services.proof.terms import Given, Terms


def of_reductions(snapshot: Snapshot, terms: Terms) -> Iterator[Fault]:
    """Discounts and uses of credit that are not what they follow from, in the order of the invoice."""
    figures, zone = snapshot.draft, snapshot.time_zone
    off = discounts(terms.taken_up, figures.subtotal)
    yield from _compared(
        "discount",
        said=((one.code, one.amount) for one in figures.discounts),
        due=((one.code, one.amount) for one in off),
    )
    if terms.grants is None:
        return
    for grant in terms.grants:
        if grant.left.micros < 0:
            sentence = (
                f"earlier invoices used more of it than the {Money(grant.amount, grant.currency)} given"
            )
            yield Fault(Wrong.sum, f"credit {grant.id}", sentence)
    held = [replace(as_credit(_row(grant), zone), left=grant.left) for grant in terms.grants]
    given = given_to([*figures.lines, *figures.charges], figures.discount, held)
    owed = figures.total - total((use.amount for use in figures.balances), figures.currency)
    paid = prepaid_of(owed, (snapshot.first_day, snapshot.last_day), held)
    yield from _compared("credit", said=_by_grant(figures.credits), due=_by_grant((*given, *paid)))


def _row(grant: Given) -> CreditGrant:
    return CreditGrant(tenant_id="", **grant.model_dump(exclude={"used"}))


def _by_grant(uses: Iterable[CreditUse]) -> Iterator[tuple[str, Money]]:
    return ((use.grant_id, use.amount) for use in uses)


def _compared(
    what: str, *, said: Iterable[tuple[str, Money]], due: Iterable[tuple[str, Money]]
) -> Iterator[Fault]:
    """Amounts by what they are for; what stands there twice counts twice."""
    sides: dict[str, tuple[list[Money], list[Money]]] = defaultdict(lambda: ([], []))
    for name, amount in said:
        sides[name][0].append(amount)
    for name, amount in due:
        sides[name][1].append(amount)
    for name, (stated, asked) in sides.items():
        if not stated:
            yield Fault(Wrong.sum, f"{what} {name}", f"it is missing, and takes off {asked[0]}")
        elif stated != asked:
            came = " and ".join(map(str, asked)) or "nothing"
            sentence = f"it is {' and '.join(map(str, stated))}, and what it follows from takes off {came}"
            yield Fault(Wrong.sum, f"{what} {name}", sentence)
