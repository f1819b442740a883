"""A payment that is told counts once, however it is told, and none is lost."""

from datetime import UTC, datetime

import pytest
from sqlmodel import Session

from services.accounts.scope import Member, owned
from services.billing import crediting, payments, refunds, strays
from services.billing.notes import credit_note, notes_of
from services.billing.online import checkout, webhook
from services.billing.online.webhook import Outcome
from services.billing.strays import Settlement
from services.billing.tables import CreditGrant, CreditNote, Invoice, InvoiceState, Payment
from services.errors import NotFound
from tests import factories
from tests.services.billing.factories import Clock
from tests.services.billing.online.messages import (
    ADA,
    closed,
    euros,
    event,
    paid,
    refusal,
    sent_back,
    standing,
)


def test_a_payment_pays_the_invoice_and_told_again_changes_nothing(
    session: Session, member: Member, invoice: Invoice
) -> None:
    assert webhook.receive(session, paid(invoice, 1190)) is Outcome.recorded
    assert webhook.receive(session, paid(invoice, 1190)) is Outcome.recorded

    assert standing(session, member, invoice) == ("paid", "0.00", "11.90")
    [payment] = session.exec(owned(Payment, member))
    assert (payment.method, payment.reference, str(payment.received_on)) == ("stripe", "pi_1", "2026-11-30")
    assert strays.undecided(session, ADA) == []


def test_money_for_a_void_invoice_is_refused_by_code_and_shown_to_the_operator(
    session: Session, member: Member, invoice: Invoice
) -> None:
    crediting.credit(session, ADA, tenant_id=member.tenant_id, invoice_id=invoice.id, reason="A fault")

    for _ in range(2):
        assert webhook.receive(session, paid(invoice, 1190)) is Outcome.stray

    [stray] = strays.undecided(session, ADA)
    assert (stray.payment.code, stray.payment.left) == ("invoice_void", 11_900_000)
    assert invoice.number in stray.payment.sentence
    assert standing(session, member, invoice) == ("void", "0.00", "0.00")


def test_what_is_paid_twice_is_named_and_becomes_credit_when_the_operator_says_so(
    session: Session, member: Member, invoice: Invoice
) -> None:
    webhook.receive(session, paid(invoice, 1190))

    assert webhook.receive(session, paid(invoice, 1190, intent="pi_2")) is Outcome.stray

    [stray] = strays.undecided(session, ADA)
    assert (stray.payment.code, stray.payment.left) == ("invoice_paid", 11_900_000)
    for _ in range(2):
        strays.settle(
            session,
            ADA,
            tenant_id=member.tenant_id,
            stray_id=stray.payment.id,
            settlement=Settlement.credited,
        )
    assert strays.undecided(session, ADA) == []
    [grant] = session.exec(owned(CreditGrant, member))
    assert (grant.amount, grant.prepaid, grant.reason) == (11_900_000, True, "Payment pi_2")
    # Told once more, it stays decided.
    webhook.receive(session, paid(invoice, 1190, intent="pi_2"))
    assert strays.undecided(session, ADA) == []


def test_of_too_much_the_invoice_takes_what_it_is_owed(
    session: Session, member: Member, invoice: Invoice
) -> None:
    payments.record_by_hand(
        session,
        ADA,
        tenant_id=member.tenant_id,
        invoice_id=invoice.id,
        amount=euros("10"),
        reference="R-1",
        received_on=datetime(2026, 12, 3, tzinfo=UTC).date(),
    )

    assert webhook.receive(session, paid(invoice, 1190)) is Outcome.stray

    [stray] = strays.undecided(session, ADA)
    assert (stray.payment.code, stray.payment.left) == ("payment_too_large", 10_000_000)
    assert standing(session, member, invoice) == ("paid", "0.00", "11.90")


def test_another_currency_is_named(session: Session, member: Member, invoice: Invoice) -> None:
    assert webhook.receive(session, paid(invoice, 1190, currency="usd")) is Outcome.stray

    [stray] = strays.undecided(session, ADA)
    assert (stray.payment.code, stray.payment.currency) == ("payment_currency_differs", "USD")
    assert standing(session, member, invoice) == ("open", "11.90", "0.00")


def test_a_refund_is_a_credit_note_of_its_own_and_told_again_changes_nothing(
    session: Session, member: Member, invoice: Invoice
) -> None:
    webhook.receive(session, paid(invoice, 1190))

    for cents in (119, 119, 1190, 119, 1190):
        webhook.receive(session, sent_back(invoice, cents))

    taken_back = notes_of(session, member, invoice)
    assert [(str(note.net), str(note.tax), note.reason) for note in taken_back] == [
        ("1.00 EUR", "0.19 EUR", "Refund"),
        ("9.00 EUR", "1.71 EUR", "Refund"),
    ]
    assert standing(session, member, invoice) == ("paid", "0.00", "0.00")
    assert [note.left for note in session.exec(owned(CreditNote, member))] == [0, 0]


def test_events_in_any_order_come_to_the_same(session: Session, clock: Clock) -> None:
    ends = set()
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0], [2, 0, 1], [1, 2, 0], [0, 2, 1]):
        member = factories.create_member(session)
        invoice = closed(session, clock, member)
        events = [paid(invoice, 1190), sent_back(invoice, 300), sent_back(invoice, 800)]
        for place in order:
            webhook.receive(session, events[place])
        taken_back = sum(note.total.micros for note in notes_of(session, member, invoice))
        ends.add((*standing(session, member, invoice), taken_back))

    assert ends == {("paid", "0.00", "3.90", 8_000_000)}
    assert strays.undecided(session, ADA) == []


def test_a_refund_first_pays_out_what_a_credit_note_left(
    session: Session, member: Member, invoice: Invoice
) -> None:
    webhook.receive(session, paid(invoice, 1190))
    note = crediting.credit(
        session, ADA, tenant_id=member.tenant_id, invoice_id=invoice.id, reason="A fault", net=euros("5")
    )
    assert note.left == 5_950_000

    webhook.receive(session, sent_back(invoice, 595))

    session.refresh(note)
    assert (note.left, note.returned) == (0, 5_950_000)
    assert len(notes_of(session, member, invoice)) == 1
    # What is left of the invoice was paid, so that it still leaves a balance.
    rest = crediting.credit(session, ADA, tenant_id=member.tenant_id, invoice_id=invoice.id, reason="A fault")
    assert (rest.total, rest.left) == (5_950_000, 5_950_000)


def test_a_refund_of_what_no_invoice_took_is_no_credit_note(
    session: Session, member: Member, invoice: Invoice
) -> None:
    webhook.receive(session, paid(invoice, 1190))
    webhook.receive(session, paid(invoice, 1190, intent="pi_2"))

    for cents in (400, 1190, 400):
        webhook.receive(session, sent_back(invoice, cents, intent="pi_2"))

    assert strays.undecided(session, ADA) == []
    assert notes_of(session, member, invoice) == []
    assert standing(session, member, invoice) == ("paid", "0.00", "11.90")


def test_a_refund_that_nothing_explains_is_shown_to_the_operator(
    session: Session, member: Member, invoice: Invoice
) -> None:
    crediting.credit(session, ADA, tenant_id=member.tenant_id, invoice_id=invoice.id, reason="A fault")

    webhook.receive(session, sent_back(invoice, 500))
    webhook.receive(session, sent_back(invoice, 500))

    [stray] = strays.undecided(session, ADA)
    assert (stray.payment.code, stray.payment.left) == ("refund_unexplained", -5_000_000)


def test_a_refund_that_did_not_arrive_is_shown_to_the_operator(
    session: Session, member: Member, invoice: Invoice
) -> None:
    webhook.receive(session, paid(invoice, 1190))
    failed = event(
        "refund.failed", {"id": "re_1", "payment_intent": "pi_1", "amount": 300, "currency": "eur"}
    )

    assert [webhook.receive(session, failed) for _ in range(2)] == [Outcome.stray] * 2

    [stray] = strays.undecided(session, ADA)
    assert (stray.payment.code, stray.payment.left) == ("refund_failed", 3_000_000)


def test_odd_parts_with_tax_add_up_to_what_was_sent_back(
    session: Session, member: Member, invoice: Invoice
) -> None:
    webhook.receive(session, paid(invoice, 1190))
    so_far = 0
    for part in (1, 3, 7, 333, 846):
        so_far += part
        webhook.receive(session, sent_back(invoice, so_far))

    taken_back = notes_of(session, member, invoice)
    assert [note.total.micros // 10_000 for note in taken_back] == [1, 3, 7, 333, 846]
    assert sum(note.net.micros for note in taken_back) == 10_000_000
    assert sum(note.tax.micros for note in taken_back) == 1_900_000


def test_what_is_not_ours_is_left_alone(session: Session, invoice: Invoice) -> None:
    others = event("payment_intent.succeeded", {"id": "pi_9", "amount": 5, "currency": "eur", "metadata": {}})

    assert webhook.receive(session, others) is Outcome.ignored
    assert webhook.receive(session, event("customer.created", {})) is Outcome.ignored


@pytest.mark.parametrize("change", [{"amount_received": "12"}, {"currency": "xyz"}, {"currency": None}])
def test_a_message_that_lacks_what_it_needs_is_refused(
    session: Session, invoice: Invoice, change: dict
) -> None:
    told = paid(invoice, 1190)
    told["data"]["object"] |= change

    assert refusal(session, told) == "unusable_message"


def test_an_invoice_that_is_not_there_is_not_found(session: Session, invoice: Invoice) -> None:
    told = paid(invoice, 1190)
    told["data"]["object"]["metadata"][checkout.INVOICE] = "bill_none"

    assert refusal(session, told) == "not_found"


def test_a_stranger_settles_nothing(session: Session, member: Member, invoice: Invoice) -> None:
    webhook.receive(session, paid(invoice, 1190))
    webhook.receive(session, paid(invoice, 1190, intent="pi_2"))
    [stray] = strays.undecided(session, ADA)
    other = factories.create_member(session)

    with pytest.raises(NotFound):
        strays.settle(
            session,
            ADA,
            tenant_id=other.tenant_id,
            stray_id=stray.payment.id,
            settlement=Settlement.sent_back,
        )
    assert refunds.refunded(
        session,
        member,
        invoice_id=invoice.id,
        method="stripe",
        reference="pi_1",
        in_all=euros("0"),
        on=datetime(2026, 12, 3, tzinfo=UTC).date(),
    ) == euros("0")


def test_a_credit_note_of_a_refund_is_a_document(session: Session, member: Member, invoice: Invoice) -> None:
    webhook.receive(session, paid(invoice, 1190))
    webhook.receive(session, sent_back(invoice, 333))
    [note] = notes_of(session, member, invoice)

    shown = credit_note(session, member, number_or_id=note.number)

    assert (shown.corrects, shown.draft.payable, invoice.state) == (
        invoice.number,
        euros("3.33"),
        InvoiceState.paid,
    )
