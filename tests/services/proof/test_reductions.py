"""Coupons, credit and commitments are worked out again from what was agreed, and what differs is named."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session

from services.accounts.scope import Member, Staff, StaffRole
from services.billing import contracts, ending, redeeming
from services.billing.commitment import Commitment
from services.billing.credits import NewCredit, grant_credit
from services.billing.drafting import figures_of
from services.billing.money import MICROS, Money
from services.billing.period import Month
from services.billing.tables import Invoice
from tests.services.billing.factories import Clock, record, travel
from tests.services.proof.bundles import closed, faults

ADA = Staff(user_id="ada", role=StaffRole.admin)
NOVEMBER = Month(2026, 11)


@pytest.fixture
def invoices(session: Session, member: Member, clock: Clock) -> list[Invoice]:
    """Of three months, with a coupon, a gift, credit paid ahead, and a commitment for the term."""
    travel(clock, "2026-11-01T00:00")
    redeeming.make_coupon(
        session, ADA, code="TENTH", terms=redeeming.Terms(title="Tenth", percent=Decimal(10))
    )
    redeeming.redeem(session, member, code="TENTH")
    for reason, prepaid in (("Goodwill", False), ("Paid ahead", True)):
        grant_credit(
            session,
            ADA,
            tenant_id=member.tenant_id,
            credit=NewCredit(amount=Money(4 * MICROS, "EUR"), reason=reason, prepaid=prepaid),
        )
    contracts.sign(
        session,
        ADA,
        tenant_id=member.tenant_id,
        title="Agreement",
        first=NOVEMBER,
        months=3,
        terms=contracts.Terms(commitment=Commitment(amount=Decimal(12)), every_month=False),
    )
    made = []
    for month in (NOVEMBER, NOVEMBER.next, NOVEMBER.next.next):
        record(session, member, texts=15_000, at=datetime(month.year, month.month, 5, tzinfo=UTC))
        made.append(closed(session, clock, member, month))
    return made


def test_what_comes_off_is_worked_out_again(
    session: Session, member: Member, invoices: list[Invoice]
) -> None:
    figures = [figures_of(invoice) for invoice in invoices]

    # Three months at 3.00 EUR each, and what is missing of 12.00 in the last.
    assert [str(figure.subtotal) for figure in figures] == ["3.00 EUR", "3.00 EUR", "6.00 EUR"]
    assert [str(figure.discount) for figure in figures] == ["0.30 EUR", "0.30 EUR", "0.60 EUR"]
    assert [str(figure.credit) for figure in figures] == ["2.70 EUR", "1.30 EUR", "0.00 EUR"]
    assert [str(figure.prepaid) for figure in figures] == ["0.00 EUR", "1.40 EUR", "2.60 EUR"]
    for invoice in invoices:
        assert faults(session, member, invoice) == []


def draft_of(told: dict[str, Any]) -> Any:
    return told["invoice"]["draft"]


def cent_more_off(told: dict[str, Any]) -> None:
    draft_of(told)["discounts"][0]["amount"]["micros"] += 10_000


def no_discount(told: dict[str, Any]) -> None:
    draft_of(told)["discounts"] = []


def dearer_coupon(told: dict[str, Any]) -> None:
    told["terms"]["coupons"]["TENTH"]["percent"] = "9"


def coupon_nobody_made(told: dict[str, Any]) -> None:
    told["terms"]["coupons"] = {}


@pytest.mark.parametrize("change", [cent_more_off, no_discount, dearer_coupon, coupon_nobody_made])
def test_a_discount_that_its_coupon_does_not_give_is_named(
    session: Session, member: Member, invoices: list[Invoice], change: Callable[[dict[str, Any]], None]
) -> None:
    assert "discount TENTH" in [fault.place for fault in faults(session, member, invoices[1], change)]


def cent_less_credit(told: dict[str, Any]) -> None:
    draft_of(told)["credits"][0]["amount"]["micros"] -= 10_000


def no_credit(told: dict[str, Any]) -> None:
    del draft_of(told)["credits"][0]


def less_left(told: dict[str, Any]) -> None:
    for number in told["terms"]["grants"][0]["used"]:
        told["terms"]["grants"][0]["used"][number] += 10_000


def smaller_grant(told: dict[str, Any]) -> None:
    told["terms"]["grants"][0]["amount"] = 1


@pytest.mark.parametrize("change", [cent_less_credit, no_credit, less_left, smaller_grant])
def test_credit_that_its_grant_does_not_give_is_named(
    session: Session, member: Member, invoices: list[Invoice], change: Callable[[dict[str, Any]], None]
) -> None:
    gift = figures_of(invoices[1]).credits[0]

    places = [fault.place for fault in faults(session, member, invoices[1], change)]

    assert f"credit {gift.grant_id}" in places


def test_a_commitment_that_forgets_earlier_use_is_named(
    session: Session, member: Member, invoices: list[Invoice]
) -> None:
    def forgotten(told: dict[str, Any]) -> None:
        del told["terms"]["used_before"][0]

    found = faults(session, member, invoices[2], forgotten)

    assert [fault.place for fault in found] == ["charge true_up:contract"]
    assert "3.00 EUR" in found[0].sentence
    assert "6.00 EUR" in found[0].sentence


def test_where_a_month_before_was_closed_later_credit_and_commitment_are_taken_as_stated(
    session: Session, member: Member, clock: Clock
) -> None:
    travel(clock, "2026-11-01T00:00")
    grant_credit(
        session,
        ADA,
        tenant_id=member.tenant_id,
        credit=NewCredit(amount=Money(4 * MICROS, "EUR"), reason="Goodwill", prepaid=False),
    )
    for month in (NOVEMBER, NOVEMBER.next):
        record(session, member, texts=15_000, at=datetime(month.year, month.month, 5, tzinfo=UTC))
    later, earlier = (closed(session, clock, member, month) for month in (NOVEMBER.next, NOVEMBER))

    assert faults(session, member, later) == []
    assert faults(session, member, earlier) == []


def test_what_was_ended_since_is_taken_as_stated(
    session: Session, member: Member, invoices: list[Invoice]
) -> None:
    gift = figures_of(invoices[1]).credits[1].grant_id

    ending.end_credit(session, ADA, tenant_id=member.tenant_id, grant_id=gift)

    for invoice in invoices:
        assert faults(session, member, invoice, nobody_knows_what_was_left) == []


def nobody_knows_what_was_left(told: dict[str, Any]) -> None:
    assert told["terms"]["grants"] is None
