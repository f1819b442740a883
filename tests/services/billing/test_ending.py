"""What was agreed ends early: what is invoiced stays, what is to come does not."""

from datetime import date
from decimal import Decimal

import pytest
from sqlmodel import Session, select

from services.accounts.scope import Member, Staff, StaffOnly, StaffRole
from services.accounts.tables import AuditEntry
from services.billing import closing, contracts, ending, redeeming, subscriptions
from services.billing.agreement_errors import AlreadyEnded, EndsTooEarly, UnknownCoupon
from services.billing.commitment import Commitment
from services.billing.contracts import Terms
from services.billing.credits import NewCredit, credit_left, grant_credit
from services.billing.drafting import draft_month
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.period import Month
from services.billing.redeeming import coupons_of
from tests import factories
from tests.services.billing.factories import Clock, travel
from tests.services.billing.test_contracts import ADA, NOVEMBER, charges, euros, sign, use

JANUARY = NOVEMBER.plus(2)


@pytest.fixture
def paying(session: Session, member: Member, clock: Clock) -> Member:
    travel(clock, "2026-11-01T00:00")
    subscriptions.subscribe(session, member, plan=PAY_AS_YOU_GO.name)
    return member


def end(session: Session, member: Member, contract: contracts.Contract, last: Month) -> contracts.Contract:
    return ending.end_contract(session, ADA, tenant_id=member.tenant_id, contract_id=contract.id, last=last)


def test_a_contract_ends_with_a_month_and_bills_the_rest_no_more(session: Session, paying: Member) -> None:
    contract = sign(
        session, paying, Terms(fee=euros("1000"), parts=4, commitment=Commitment(amount=Decimal(20)))
    )
    before = contracts.plan_of_payments(contract)

    seen = ending.preview_contract(
        session, ADA, tenant_id=paying.tenant_id, contract_id=contract.id, last=JANUARY
    )
    end(session, paying, contract, JANUARY)

    assert list(seen.dropped) == before[1:]
    assert contracts.plan_of_payments(contract) == before[:1]
    assert contract.ends_on == date(2027, 1, 31)
    assert charges(draft_month(session, paying, NOVEMBER))["instalment"] == "250.00"
    assert "instalment 1 of 4" in draft_month(session, paying, NOVEMBER).charges[0].title
    assert charges(draft_month(session, paying, JANUARY)) == {"true_up": "20.00"}
    assert charges(draft_month(session, paying, JANUARY.next)) == {}


def test_a_commitment_for_the_term_becomes_its_part(session: Session, paying: Member) -> None:
    contract = sign(session, paying, Terms(commitment=Commitment(amount=Decimal(1200)), every_month=False))
    use(session, paying, NOVEMBER, worth=100)

    end(session, paying, contract, JANUARY)

    # A fourth of the term, of which 100 are used.
    assert charges(draft_month(session, paying, JANUARY)) == {"true_up": "200.00"}


def test_what_is_invoiced_stays(session: Session, paying: Member, clock: Clock) -> None:
    contract = sign(session, paying, Terms(fee=euros("1200"), parts=12))
    travel(clock, "2027-01-03T00:00")
    for month in (NOVEMBER, NOVEMBER.next):
        assert closing.finalise(session, paying, month=month) is not None

    with pytest.raises(EndsTooEarly) as refused:
        end(session, paying, contract, NOVEMBER.next)
    assert refused.value.soonest == JANUARY
    end(session, paying, contract, JANUARY)

    assert len(contracts.plan_of_payments(contract)) == 3
    with pytest.raises(AlreadyEnded):
        end(session, paying, contract, JANUARY)


def test_a_contract_can_end_only_once_more_and_before_its_end(session: Session, paying: Member) -> None:
    contract = sign(session, paying, Terms(fee=euros("1200"), parts=12))

    with pytest.raises(EndsTooEarly):
        end(session, paying, contract, NOVEMBER.plus(11))
    end(session, paying, contract, JANUARY.next)
    end(session, paying, contract, JANUARY)

    assert [amount for _, amount in contracts.plan_of_payments(contract)] == [euros("100")] * 3


def test_credit_that_ends_pays_for_today_and_no_longer(
    session: Session, paying: Member, clock: Clock
) -> None:
    travel(clock, "2026-11-06T12:00")
    grant = grant_credit(
        session,
        ADA,
        tenant_id=paying.tenant_id,
        credit=NewCredit(amount=euros("50"), reason="Goodwill", prepaid=False),
    )
    use(session, paying, NOVEMBER, worth=0)

    left = ending.end_credit(session, ADA, tenant_id=paying.tenant_id, grant_id=grant.id)

    assert left == euros("50")
    clock.advance(2 * 86400)
    assert credit_left(session, paying) == euros("0")
    with pytest.raises(AlreadyEnded):
        ending.end_credit(session, ADA, tenant_id=paying.tenant_id, grant_id=grant.id)


def coupon(session: Session) -> None:
    redeeming.make_coupon(
        session, ADA, code="WELCOME", terms=redeeming.Terms(title="Welcome", percent=Decimal(10))
    )


def test_a_coupon_that_is_stopped_is_taken_up_by_nobody_and_kept_by_whoever_has_it(
    session: Session, paying: Member
) -> None:
    coupon(session)
    redeeming.redeem(session, paying, code="WELCOME")

    ending.end_coupon(session, ADA, code="WELCOME")

    assert [one.code for one in coupons_of(session, paying, NOVEMBER)] == ["WELCOME"]
    with pytest.raises(UnknownCoupon):
        redeeming.redeem(session, factories.create_member(session), code="WELCOME")
    with pytest.raises(AlreadyEnded):
        ending.end_coupon(session, ADA, code="WELCOME")


def test_a_coupon_is_taken_from_one_workspace(session: Session, paying: Member) -> None:
    coupon(session)
    redeeming.redeem(session, paying, code="WELCOME")

    ending.end_redemption(session, ADA, tenant_id=paying.tenant_id, code="WELCOME")

    assert coupons_of(session, paying, NOVEMBER) == []
    with pytest.raises(AlreadyEnded):
        ending.end_redemption(session, ADA, tenant_id=paying.tenant_id, code="WELCOME")


def test_each_end_is_in_the_audit_log_and_only_operators_do_it(session: Session, paying: Member) -> None:
    contract = sign(session, paying, Terms(fee=euros("1200"), parts=12))
    end(session, paying, contract, JANUARY)

    actions = session.exec(select(AuditEntry.action).where(AuditEntry.tenant_id == paying.tenant_id)).all()
    assert "contract.ended" in actions
    sam = Staff(user_id="sam", role=StaffRole.sales)
    with pytest.raises(StaffOnly):
        ending.end_contract(session, sam, tenant_id=paying.tenant_id, contract_id=contract.id, last=NOVEMBER)
    with pytest.raises(StaffOnly):
        ending.end_coupon(session, sam, code="WELCOME")
