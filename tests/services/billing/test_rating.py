"""A draft is the same however its use is told, and all its figures add up."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.billing.addition import wrong_lines
from services.billing.commitment import Commitment
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.invoicing import Charge, ChargeKind, Draft
from services.billing.money import EXACT, MICROS, Money, total
from services.billing.plans import NotSold, Plan
from services.billing.pricing import (
    Begun,
    GraduatedPrice,
    PackagePrice,
    UnitPrice,
    VolumePrice,
    rate,
    rate_part,
)
from services.billing.spending import Credit, Owed, spend
from services.billing.taxation import Tax
from services.billing.tiers import Tier
from services.metering.usage import Use
from tests.services.billing.factories import create_draft, credit, day, predictions, training, with_price


def euros(amount: str) -> Money:
    return Money(int(Decimal(amount) * MICROS), "EUR")


def test_training_has_a_line_per_job_and_predictions_one_per_day_and_model() -> None:
    figures = create_draft(
        predictions(day=day(5), subject="mv_2"),
        predictions(day=day(5)),
        predictions(day=day(4)),
        training(subject="job_2", day=day(9)),
        training(subject="job_1", day=day(7)),
    )

    assert [line.key for line in figures.lines] == [
        "training.cuda:pay-as-you-go.v1:job_1",
        "training.cuda:pay-as-you-go.v1:job_2",
        "predictions:pay-as-you-go.v1:2026-11-04:mv_1",
        "predictions:pay-as-you-go.v1:2026-11-05:mv_1",
        "predictions:pay-as-you-go.v1:2026-11-05:mv_2",
    ]


def test_a_line_says_all_that_its_amount_needs() -> None:
    [line] = create_draft(training("312.48", events=1)).lines

    assert (line.quantity, line.free, line.events) == (Decimal("312.48"), 0, 1)
    assert line.price == UnitPrice(amount=Decimal("0.002"))
    assert (line.first_day, line.last_day, line.properties) == (day(3), day(3), {"device_class": "cuda"})
    assert line.amount == euros("0.62")


def test_each_line_is_rounded_once_and_the_subtotal_sums_rounded_lines() -> None:
    # Three lines of 0.005 are 0.03, not the 0.02 of their exact sum.
    figures = create_draft(*(predictions(25, day=day(number)) for number in (1, 2, 3)))

    assert [line.amount for line in figures.lines] == [euros("0.01")] * 3
    assert figures.subtotal == euros("0.03")


def test_included_use_and_use_of_nothing_make_no_line() -> None:
    tokens = Use(meter="trained_tokens", subject="job_1", day=day(1), quantity=Decimal(10**9))

    figures = create_draft(tokens, predictions(0), training("0"))

    assert figures.lines == ()
    assert figures.total == Money.zero("EUR")


def test_use_that_is_not_sold_stops_the_draft() -> None:
    with pytest.raises(NotSold):
        create_draft(training(properties={"device_class": "abacus"}))


def test_tax_is_due_on_what_the_credit_leaves_and_rounded_once() -> None:
    figures = create_draft(predictions(62_650), grants=(credit(10),), tax=Tax(Decimal("19"), ""))

    assert (figures.subtotal, figures.credit) == (euros("12.53"), euros("10"))
    assert figures.tax == euros("0.48")  # 19 % of 2.53 is 0.4807
    assert figures.total == euros("3.01")


def test_a_credit_pays_for_its_own_days_only() -> None:
    trial = credit(10, first_day=day(2), last_day=day(4))

    figures = create_draft(*(predictions(5000, day=day(n)) for n in (1, 2, 3, 4)), grants=(trial,))

    assert figures.subtotal == euros("4")
    assert [(use.grant_id, use.amount) for use in figures.credits] == [("crg_1", euros("2"))]


def test_the_credit_that_expires_first_is_spent_first() -> None:
    late, soon = credit(1, grant_id="late"), credit(1, grant_id="soon", last_day=day(30))

    figures = create_draft(predictions(7500), grants=(late, soon))

    assert {use.grant_id: use.amount for use in figures.credits} == {
        "soon": euros("1"),
        "late": euros("0.50"),
    }


def test_a_new_price_holds_from_its_day_on() -> None:
    dearer = tuple(
        replace(sold, price=UnitPrice(amount=Decimal("0.004"))) if sold.key == "training.cuda" else sold
        for sold in PAY_AS_YOU_GO.prices
    )
    second = replace(PAY_AS_YOU_GO, version=2, valid_from=day(10), prices=dearer)
    uses = [training(subject="job_1", day=day(9)), training(subject="job_2", day=day(10))]

    figures = create_draft(*uses, versions=[PAY_AS_YOU_GO, second])

    assert [(line.plan_version, line.amount) for line in figures.lines] == [
        (1, euros("0.20")),
        (2, euros("0.40")),
    ]


def test_a_free_quantity_is_used_up_in_the_order_of_days() -> None:
    plan = with_price(UnitPrice(amount=Decimal(1), free=Decimal(500)))
    uses = [predictions(q, day=day(n)) for n, q in ((3, 100), (1, 300), (2, 250))]

    figures = create_draft(*uses, versions=[plan])

    assert [(line.before, line.free, line.amount) for line in figures.lines] == [
        (0, 300, euros("0")),
        (300, 200, euros("50")),
        (550, 0, euros("100")),
    ]


QUANTITIES = st.decimals("0", "1e6", places=6)
USES = st.lists(
    st.one_of(
        st.builds(
            lambda job, device, number, quantity: training(
                quantity, subject=f"job_{job}", properties={"device_class": device}, day=day(number)
            ),
            st.integers(1, 4),
            st.sampled_from(["cpu", "cuda"]),
            st.integers(1, 30),
            QUANTITIES,
        ),
        st.builds(
            lambda version, number, texts: predictions(texts, subject=f"mv_{version}", day=day(number)),
            st.integers(1, 3),
            st.integers(1, 30),
            st.integers(0, 10**6),
        ),
    ),
    max_size=20,
)
GRANTS = st.lists(
    st.builds(
        lambda number, amount, first, length: credit(
            amount,
            grant_id=f"crg_{number}",
            first_day=day(first),
            last_day=None if length is None else date.fromordinal(day(first).toordinal() + length),
        ),
        st.integers(1, 10**6),
        st.integers(0, 200),
        st.integers(1, 30),
        st.none() | st.integers(1, 60),
    ),
    max_size=4,
    unique_by=lambda grant: grant.grant_id,
)
TAX = st.builds(Tax, st.decimals("0", "30", places=2), st.just(""))
TIERS = (
    Tier(up_to=Decimal(10_000), unit_amount=Decimal("0.001"), flat_amount=Decimal("2")),
    Tier(up_to=Decimal("50000.5"), unit_amount=Decimal("0.0005"), flat_amount=Decimal("1.005")),
    Tier(unit_amount=Decimal("0.0001")),
)
# With these the lines of a price depend on one another, and a period has charges of its own.
PLANS = st.sampled_from(
    [
        PAY_AS_YOU_GO,
        with_price(PackagePrice(amount=Decimal("0.2"), size=1000, begun=Begun.whole, free=Decimal(2500))),
        with_price(GraduatedPrice(tiers=TIERS, flat_at_zero=True, discount_percent=Decimal("12.5"))),
        with_price(GraduatedPrice(tiers=TIERS, flat_at_zero=False, minimum=Decimal(20))),
        with_price(UnitPrice(amount=Decimal("0.0007"), maximum=Decimal("99.995"))),
        with_price(
            UnitPrice(
                amount=Decimal("0.0007"),
                commitment=Commitment(amount=Decimal(50), overage_factor=Decimal("1.25")),
            )
        ),
    ]
)
VOLUME = with_price(VolumePrice(tiers=TIERS, flat_at_zero=True))
quick = hypothesis_settings(max_examples=150)


def test_a_plan_that_was_left_and_taken_up_again_goes_on_where_it_stopped() -> None:
    ours = with_price(UnitPrice(amount=Decimal("0.01"), free=Decimal(1000), minimum=Decimal(50)))
    other = replace(PAY_AS_YOU_GO, name="team", valid_from=day(10))
    uses = [predictions(1500, day=day(number)) for number in (5, 15, 25)]

    figures = create_draft(*uses, versions=[ours, other, replace(ours, valid_from=day(20))])

    # 1,000 of its 3,000 are free once, and its minimum is asked for once.
    found = [(line.before, line.free, line.amount) for line in figures.lines if line.plan == ours.name]
    assert found == [(0, 1000, euros("5")), (1500, 0, euros("15"))]
    assert [(charge.kind.value, charge.amount) for charge in figures.charges] == [("minimum", euros("30"))]
    assert list(wrong_lines(figures)) == []


def test_grants_pay_no_more_than_the_invoice_comes_to() -> None:
    amounts = [Owed(day(n), day(n), euros(amount)) for n, amount in ((1, "10"), (2, "10"), (3, "-15"))]

    [use] = spend(amounts, [credit(20)], at_most=euros("5"))

    assert use.amount == euros("5")


def test_an_invoice_that_would_be_below_zero_carries_the_rest_over() -> None:
    back = Charge(
        key="unused:1",
        kind=ChargeKind.unused,
        title="Unused part of the fee",
        first_day=day(10),
        last_day=day(30),
        amount=euros("-5"),
    )

    figures = create_draft(predictions(10_000), charges=[back], tax=Tax(Decimal(19), ""))

    assert [(charge.kind.value, charge.amount) for charge in figures.charges] == [
        ("unused", euros("-5")),
        ("carried_over", euros("3")),
    ]
    assert (figures.subtotal, figures.tax, figures.payable) == (euros("0"),) * 3


@quick
@given(USES, GRANTS, TAX, PLANS, st.data())
def test_any_order_and_any_split_of_the_use_gives_the_same_draft(
    uses: list[Use], grants: list[Credit], tax: Tax, plan: Plan, data: st.DataObject
) -> None:
    pieces = []
    for use in uses:
        first = data.draw(st.decimals("0", use.quantity, places=6))
        rest = EXACT.subtract(use.quantity, first)
        pieces += [replace(use, quantity=first, events=0), replace(use, quantity=rest)]
    shuffled = data.draw(st.permutations(pieces))

    whole = create_draft(*uses, versions=[plan], grants=grants, tax=tax)
    in_pieces = create_draft(*shuffled, versions=[plan], grants=reversed(grants), tax=tax)

    assert in_pieces == whole


@quick
@given(USES, GRANTS, TAX, PLANS)
def test_all_figures_add_up(uses: list[Use], grants: list[Credit], tax: Tax, plan: Plan) -> None:
    figures = create_draft(*uses, versions=[plan], grants=grants, tax=tax)

    items = (*figures.lines, *figures.charges)
    assert figures.subtotal == total((item.amount for item in items), "EUR")
    assert figures.tax == total((group.tax for group in figures.tax_groups), "EUR")
    assert figures.net == total((group.net for group in figures.tax_groups), "EUR")
    assert figures.credit == total((use.amount for use in figures.credits), "EUR")
    assert figures.total == figures.net + figures.tax == figures.subtotal - figures.credit + figures.tax
    assert Money.zero("EUR") <= figures.credit <= figures.subtotal
    left = {grant.grant_id: grant.left for grant in grants}
    assert all(use.amount <= left[use.grant_id] for use in figures.credits)
    assert_lines_can_be_rated_again(figures)


def assert_lines_can_be_rated_again(figures: Draft) -> None:
    so_far: dict[str, Decimal] = {}
    exact: dict[str, Decimal] = {}
    for line in figures.lines:
        assert line.amount == line.rated()
        assert line.before == so_far.get(line.price_key, 0)
        so_far[line.price_key] = line.before + line.quantity
        part = rate_part(line.price, line.before, line.quantity)
        exact[line.price_key] = exact.get(line.price_key, Decimal(0)) + part
    for line in figures.lines:
        whole = rate(line.price, so_far[line.price_key]) - rate(line.price, Decimal(0))
        assert exact[line.price_key] == whole


@quick
@given(USES, PLANS, st.integers(1, 30), st.integers(0, 10**5))
def test_more_of_the_same_never_costs_less(uses: list[Use], plan: Plan, number: int, texts: int) -> None:
    without = create_draft(*uses, versions=[plan])
    with_more = create_draft(*uses, predictions(texts, day=day(number)), versions=[plan])

    # Lines are rounded one by one, and each line behind the new one may lose half a cent by that.
    assert with_more.subtotal.micros >= without.subtotal.micros - 10_000 * len(with_more.lines)
    if plan is PAY_AS_YOU_GO:
        assert with_more.subtotal >= without.subtotal


def test_more_costs_less_where_a_volume_tier_begins_and_nowhere_else() -> None:
    at_the_bound = create_draft(predictions(10_000), versions=[VOLUME])
    beyond = create_draft(predictions(10_001), versions=[VOLUME])

    assert (at_the_bound.subtotal, beyond.subtotal) == (euros("12"), euros("6.01"))


@quick
@given(USES, GRANTS)
def test_a_draft_survives_json_with_the_same_bytes(uses: list[Use], grants: list[Credit]) -> None:
    figures = create_draft(*uses, grants=tuple(grants))

    again = Draft.model_validate_json(figures.model_dump_json())

    assert again == figures
    assert again.model_dump_json() == figures.model_dump_json()
