"""Money that staff sends back by bank transfer: at most what came in, and each refund a credit note."""

from contextlib import nullcontext
from datetime import date

import pytest
from sqlmodel import Session, select

from services.accounts.scope import Member, Staff, StaffOnly, StaffRole
from services.accounts.tables import AuditEntry
from services.billing import crediting, payments, sending_back
from services.billing.money import Money
from services.billing.notes import notes_of
from services.billing.owing import received
from services.billing.sending_back import Received
from services.billing.tables import Invoice
from services.errors import ServiceError
from tests.services.billing.online.conftest import stripe_settings  # noqa: F401
from tests.services.billing.online.messages import ADA, closed, euros


@pytest.fixture
def invoice(session: Session, member: Member, clock: object) -> Invoice:
    """11.90, paid by one bank transfer."""
    made = closed(session, clock, member)  # type: ignore[arg-type]
    payments.record_by_hand(
        session,
        ADA,
        tenant_id=member.tenant_id,
        invoice_id=made.id,
        amount=euros("11.90"),
        reference="SEPA 1",
        received_on=date(2026, 12, 5),
    )
    return made


def payment(session: Session, member: Member) -> Received:
    [one] = sending_back.received(session, ADA, tenant_id=member.tenant_id)
    return one


def send(session: Session, member: Member, amount: str, staff: Staff = ADA) -> Money:
    return sending_back.send_back(
        staff,
        tenant_id=member.tenant_id,
        payment_id=payment(session, member).payment.id,
        amount=euros(amount),
        opened=lambda: nullcontext(session),
    )


def test_each_part_that_goes_back_is_a_credit_note_and_in_the_audit_log(
    session: Session, member: Member, invoice: Invoice
) -> None:
    assert payment(session, member).left == euros("11.90")

    send(session, member, "5.95")
    send(session, member, "1.19")

    assert payment(session, member).left == euros("4.76")
    assert received(session, member, invoice) == euros("4.76")
    assert [str(note.total) for note in notes_of(session, member, invoice)] == ["5.95 EUR", "1.19 EUR"]
    entries = session.exec(select(AuditEntry).where(AuditEntry.action == "payment.refunded"))
    told = [one.detail["amount"] for one in entries if one.tenant_id == member.tenant_id]
    assert told == [5_950_000, 1_190_000]


def test_what_a_credit_note_left_for_later_is_paid_out_first(
    session: Session, member: Member, invoice: Invoice
) -> None:
    crediting.credit(
        session, ADA, tenant_id=member.tenant_id, invoice_id=invoice.id, reason="A fault", net=euros("5")
    )

    send(session, member, "5.95")

    assert [str(note.total) for note in notes_of(session, member, invoice)] == ["5.95 EUR"]


@pytest.mark.parametrize("amount", ["0", "-1", "11.91"])
def test_more_than_came_in_does_not_go_back(
    session: Session, member: Member, invoice: Invoice, amount: str
) -> None:
    with pytest.raises(ServiceError) as refused:
        send(session, member, amount)

    assert refused.value.code == "refund_too_large"
    assert notes_of(session, member, invoice) == []


def test_only_operators_send_money_back(session: Session, member: Member, invoice: Invoice) -> None:
    with pytest.raises(StaffOnly):
        send(session, member, "1", Staff(user_id="sam", role=StaffRole.sales))
