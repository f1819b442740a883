"""However an invoice is taken back in parts, they add up to it, with its tax, and none is below zero."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.billing.invoicing import TaxGroup
from services.billing.money import Money
from services.billing.notes import Note
from services.billing.taking_back import by_gross, by_net, left_of
from services.billing.taxation import Tax, TaxCategory, TaxCode

CENT = 10_000
NOTHING = Money.zero("EUR")


def group(cents: int, percent: str) -> TaxGroup:
    net = Money(cents * CENT, "EUR")
    tax = Tax(Decimal(percent), "", TaxCategory.standard).on(net)
    codes = (TaxCode.standard,)
    return TaxGroup(
        category=TaxCategory.standard,
        percent=Decimal(percent),
        note="",
        codes=codes,
        gross=net,
        allowance=NOTHING,
        net=net,
        tax=tax,
    )


def note(number: int, groups: tuple[TaxGroup, ...]) -> Note:
    net, tax = sum((one.net for one in groups), NOTHING), sum((one.tax for one in groups), NOTHING)
    # Only its figures matter here.
    return Note.model_construct(number=f"{number}", tax_groups=groups, net=net, tax=tax, total=net + tax)


@given(
    nets=st.tuples(st.integers(1, 5_000), st.integers(0, 5_000)),
    parts=st.lists(st.tuples(st.booleans(), st.integers(1, 3_000)), max_size=12),
)
def test_parts_by_net_and_by_gross_add_up_to_the_invoice(
    nets: tuple[int, int], parts: list[tuple[bool, int]]
) -> None:
    billed = [group(cents, percent) for cents, percent in zip(nets, ("19", "7"), strict=True) if cents]
    notes: list[Note] = []
    for is_gross, cents in [*parts, (True, 10**9)]:
        left = left_of(billed, notes)
        most = sum((one.gross if is_gross else one.net for one in left), NOTHING)
        amount = min(Money(cents * CENT, "EUR"), most)
        if not amount.micros:
            continue
        taken = (by_gross if is_gross else by_net)(left, amount)
        assert all(one.net.micros >= 0 and one.tax.micros >= 0 for one in taken)
        back = note(len(notes), taken)
        assert (back.total if is_gross else back.net) == amount
        notes.append(back)

    assert sum((one.net for one in notes), NOTHING) == sum((one.net for one in billed), NOTHING)
    assert sum((one.tax for one in notes), NOTHING) == sum((one.tax for one in billed), NOTHING)
