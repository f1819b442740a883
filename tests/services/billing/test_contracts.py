"""What is promised beside use: instalments, commitments, coupons, a partner's share."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlmodel import Session

from services.accounts.scope import Member, Staff, StaffRole
from services.billing import catalogue, closing, contracts, crediting, partners, redeeming, subscriptions
from services.billing.commitment import Commitment
from services.billing.contracts import Terms
from services.billing.drafting import draft_month
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.invoicing import Draft
from services.billing.money import Money, total
from services.billing.period import Month
from services.billing.pricing import UnitPrice
from services.clock import now
from services.errors import ServiceError
from services.metering.meters import PREDICTIONS
from tests.services.billing.factories import Clock, record, travel

ADA = Staff(user_id="ada", role=StaffRole.admin)
NOVEMBER = Month(2026, 11)


def euros(amount: str) -> Money:
    return Money(int(Decimal(amount) * 10**6), "EUR")


@pytest.fixture
def paying(session: Session, member: Member, clock: Clock) -> Member:
    travel(clock, "2026-11-01T00:00")
    subscriptions.subscribe(session, member, plan=PAY_AS_YOU_GO.name)
    return member


def sign(session: Session, member: Member, terms: Terms, months: int = 12) -> contracts.Contract:
    return contracts.sign(
        session,
        ADA,
        tenant_id=member.tenant_id,
        title="Agreement",
        first=NOVEMBER,
        months=months,
        terms=terms,
    )


def use(session: Session, member: Member, month: Month, worth: int) -> None:
    record(session, member, texts=worth * 5000, at=datetime(month.year, month.month, 5, tzinfo=UTC))


def charges(figures: Draft) -> dict[str, str]:
    return {charge.kind.value: f"{charge.amount.amount:.2f}" for charge in figures.charges}


def test_a_yearly_fee_is_billed_in_instalments_that_add_up(session: Session, paying: Member) -> None:
    contract = sign(session, paying, Terms(fee=euros("1000"), parts=3))

    plan = contracts.plan_of_payments(contract)
    billed = [draft_month(session, paying, NOVEMBER.plus(month)).charges for month in range(13)]

    assert [(str(month), str(amount)) for month, amount in plan] == [
        ("2026-11", "333.34 EUR"),
        ("2027-03", "333.33 EUR"),
        ("2027-07", "333.33 EUR"),
    ]
    assert [len(found) for found in billed] == [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]
    assert total((charge.amount for found in billed for charge in found), "EUR") == euros("1000")
    assert billed[4][0].title == "Agreement: instalment 2 of 3"


def test_a_monthly_commitment_is_made_up_and_use_beyond_it_costs_more(
    session: Session, paying: Member
) -> None:
    commitment = Commitment(amount=Decimal(100), overage_factor=Decimal("1.5"))
    sign(session, paying, Terms(commitment=commitment))
    use(session, paying, NOVEMBER, 40)
    use(session, paying, NOVEMBER.next, 140)

    first, second = (draft_month(session, paying, month) for month in (NOVEMBER, NOVEMBER.next))

    assert (charges(first), first.subtotal) == ({"true_up": "60.00"}, euros("100"))
    assert (charges(second), second.subtotal) == ({"overage": "20.00"}, euros("160"))


def test_a_commitment_for_the_term_is_made_up_at_its_end_alone(
    session: Session, paying: Member, clock: Clock
) -> None:
    commitment = Commitment(amount=Decimal(100), overage_factor=Decimal(2))
    sign(session, paying, Terms(commitment=commitment, every_month=False), months=3)
    for month, worth in zip((NOVEMBER, NOVEMBER.next, NOVEMBER.plus(2)), (30, 30, 10), strict=True):
        use(session, paying, month, worth)
    travel(clock, "2026-12-02T00:00")
    closing.finalise(session, paying, month=NOVEMBER)

    found = [charges(draft_month(session, paying, NOVEMBER.plus(month))) for month in (1, 2, 3)]

    assert found == [{}, {"true_up": "30.00"}, {}]


def test_use_beyond_a_term_s_commitment_costs_more_from_where_it_is_reached(
    session: Session, paying: Member
) -> None:
    commitment = Commitment(amount=Decimal(50), overage_factor=Decimal(2))
    sign(session, paying, Terms(commitment=commitment, every_month=False), months=3)
    for month in range(3):
        use(session, paying, NOVEMBER.plus(month), 30)

    found = [charges(draft_month(session, paying, NOVEMBER.plus(month))) for month in range(3)]

    assert found == [{}, {"overage": "10.00"}, {"overage": "30.00"}]


@pytest.mark.parametrize(
    ("terms", "months"),
    [
        (Terms(), 12),
        (Terms(fee=euros("1")), 0),
        (Terms(fee=euros("1"), parts=13), 12),
    ],
)
def test_a_contract_that_cannot_be_billed_is_refused(
    session: Session, paying: Member, terms: Terms, months: int
) -> None:
    with pytest.raises(ServiceError) as refused:
        sign(session, paying, terms, months)

    assert refused.value.code == "unusable_contract"


def test_two_contracts_at_one_time_are_refused(session: Session, paying: Member) -> None:
    sign(session, paying, Terms(fee=euros("1")))

    with pytest.raises(ServiceError, match="another one in the same months"):
        sign(session, paying, Terms(fee=euros("1")), 1)


def test_included_use_comes_off_before_anything_is_paid(
    session: Session, member: Member, clock: Clock
) -> None:
    travel(clock, "2026-11-01T00:00")
    prices = tuple(
        replace(sold, price=UnitPrice(amount=Decimal("0.001"), free=Decimal(10_000)))
        if sold.meter == PREDICTIONS.name
        else sold
        for sold in PAY_AS_YOU_GO.prices
    )
    plan = replace(PAY_AS_YOU_GO, name="bundle", title="Bundle", prices=prices, fee=euros("29"))
    catalogue.publish(session, ADA, plan)
    subscriptions.subscribe(session, member, plan="bundle")
    record(session, member, texts=8_000, at=datetime(2026, 11, 5, tzinfo=UTC))
    record(session, member, texts=5_000, at=datetime(2026, 11, 6, tzinfo=UTC))

    figures = draft_month(session, member, NOVEMBER)

    assert [(line.free, line.amount) for line in figures.lines] == [(8_000, euros("0")), (2_000, euros("3"))]


def test_a_coupon_comes_off_before_tax_for_its_months(session: Session, paying: Member) -> None:
    terms = redeeming.Terms(title="A quarter off", percent=Decimal(25), months=2, most=1)
    redeeming.make_coupon(session, ADA, code="quarter", terms=terms)
    first = redeeming.redeem(session, paying, code=" Quarter ")
    assert redeeming.redeem(session, paying, code="QUARTER") is first
    for month in range(3):
        use(session, paying, NOVEMBER.plus(month), 10)

    nets = [draft_month(session, paying, NOVEMBER.plus(month)).net for month in range(3)]

    assert nets == [euros("7.50"), euros("7.50"), euros("10")]


def test_a_coupon_never_makes_an_invoice_negative(session: Session, paying: Member) -> None:
    terms = redeeming.Terms(title="Fifty", amount=euros("50"))
    redeeming.make_coupon(session, ADA, code="FIFTY", terms=terms)
    redeeming.redeem(session, paying, code="FIFTY")
    use(session, paying, NOVEMBER, 10)

    figures = draft_month(session, paying, NOVEMBER)

    assert (figures.discount, figures.payable) == (euros("10"), euros("0"))


@pytest.mark.parametrize(
    "terms",
    [
        redeeming.Terms(title="Past", percent=Decimal(5), until=date(2026, 10, 31)),
        redeeming.Terms(title="Dollars", amount=Money(1_000_000, "USD")),
    ],
)
def test_a_coupon_that_cannot_be_taken_up_is_refused(
    session: Session, paying: Member, terms: redeeming.Terms
) -> None:
    redeeming.make_coupon(session, ADA, code="NO", terms=terms)

    for code in ("NO", "NEVER-MADE"):
        with pytest.raises(ServiceError) as refused:
            redeeming.redeem(session, paying, code=code)
        assert refused.value.code == "unknown_coupon"


def test_a_partner_s_statement_sums_rounded_shares_less_what_was_taken_back(
    session: Session, paying: Member, clock: Clock
) -> None:
    partner = partners.add_partner(session, ADA, name=f"Partner {now()}", share_percent=Decimal("12.5"))
    partners.bring(session, ADA, tenant_id=paying.tenant_id, partner_id=partner.id)
    record(session, paying, texts=50_150, at=datetime(2026, 11, 5, tzinfo=UTC))
    travel(clock, "2026-12-02T00:00")
    invoice = closing.finalise(session, paying, month=NOVEMBER)
    assert invoice is not None

    told = partners.statement(session, ADA, partner_id=partner.id, month=NOVEMBER)
    assert [(share.number, share.net, share.share) for share in told.shares] == [
        (invoice.number, euros("10.03"), euros("1.25"))
    ]

    crediting.credit(
        session, ADA, tenant_id=paying.tenant_id, invoice_id=invoice.id, reason="Ours", net=euros("5.03")
    )
    told = partners.statement(session, ADA, partner_id=partner.id, month=NOVEMBER)
    assert told.totals == (euros("0.63"),)
