"""Invoices are paid online: a payment counts once however it is told, and none is lost."""

import hashlib
import hmac
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session, col

from services.accounts.scope import Member, Staff, StaffRole, owned
from services.api.app import app
from services.billing import closing, crediting, payments, refunds, sending_back, strays
from services.billing import service as billing
from services.billing.errors import NotPayableOnline
from services.billing.money import MINOR_DIGITS, Money
from services.billing.notes import credit_note, notes_of
from services.billing.online import checkout, webhook
from services.billing.online.units import from_stripe, to_stripe
from services.billing.online.webhook import Outcome
from services.billing.owing import outstanding, received
from services.billing.period import Month
from services.billing.strays import Settlement
from services.billing.tables import Checkout, CreditGrant, CreditNote, Invoice, InvoiceState, Payment
from services.config import settings
from services.db import reading, transaction
from services.errors import NotFound, ServiceError
from tests import factories
from tests.servers import serving
from tests.services.billing.factories import Clock, record, travel

ADA = Staff(user_id="ada", role=StaffRole.admin)
SECRET = "whsec_test"
KEY = "sk_test_12345"


def euros(amount: str) -> Money:
    return Money(int(Decimal(amount) * 10**6), "EUR")


@pytest.fixture(autouse=True)
def stripe_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEPORT_STRIPE_SECRET_KEY", KEY)
    monkeypatch.setenv("TUNEPORT_STRIPE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("TUNEPORT_TAX_RATE_PERCENT", "19")
    settings.cache_clear()


def closed(session: Session, clock: Clock, member: Member) -> Invoice:
    """10 euros of use in November, 11.90 with tax."""
    travel(clock, "2026-12-02T00:00")
    record(session, member, texts=50_000, at=datetime(2026, 11, 10, 12, tzinfo=UTC))
    made = closing.finalise(session, member, month=Month(2026, 11))
    assert made is not None
    return made


@pytest.fixture
def invoice(session: Session, member: Member, clock: Clock) -> Invoice:
    return closed(session, clock, member)


def names(invoice: Invoice) -> dict[str, str]:
    return {checkout.TENANT: invoice.tenant_id, checkout.INVOICE: invoice.id}


def paid(invoice: Invoice, cents: int, *, intent: str = "pi_1", currency: str = "eur") -> dict:
    told = {"id": intent, "amount_received": cents, "amount": cents, "currency": currency}
    return _event("payment_intent.succeeded", told | {"metadata": names(invoice)})


def sent_back(invoice: Invoice, cents_in_all: int, *, intent: str = "pi_1") -> dict:
    told = {"id": "ch_1", "payment_intent": intent, "amount_refunded": cents_in_all, "currency": "eur"}
    return _event("charge.refunded", told | {"metadata": names(invoice)})


def _event(kind: str, told: dict) -> dict:
    return {"id": "evt_1", "type": kind, "created": 1_796_000_000, "data": {"object": told}}


def signed(body: str, *, secret: str = SECRET, at: float | None = None) -> str:
    """Source of the scheme: https://docs.stripe.com/webhooks/signature."""
    stamp = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def refusal(session: Session, event: dict) -> str:
    with pytest.raises(ServiceError) as refused:
        webhook.receive(session, event)
    return refused.value.code


def standing(session: Session, member: Member, invoice: Invoice) -> tuple[str, str, str]:
    """State, what is owed, and what came in less what went back."""
    session.refresh(invoice)
    owed, cash = outstanding(session, member, invoice), received(session, member, invoice)
    return invoice.state.value, f"{owed.amount:.2f}", f"{cash.amount:.2f}"


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
    failed = _event(
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
    others = _event(
        "payment_intent.succeeded", {"id": "pi_9", "amount": 5, "currency": "eur", "metadata": {}}
    )

    assert webhook.receive(session, others) is Outcome.ignored
    assert webhook.receive(session, _event("customer.created", {})) is Outcome.ignored


@pytest.mark.parametrize("change", [{"amount_received": "12"}, {"currency": "xyz"}, {"currency": None}])
def test_a_message_that_lacks_what_it_needs_is_refused(
    session: Session, invoice: Invoice, change: dict
) -> None:
    event = paid(invoice, 1190)
    event["data"]["object"] |= change

    assert refusal(session, event) == "unusable_message"


def test_an_invoice_that_is_not_there_is_not_found(session: Session, invoice: Invoice) -> None:
    event = paid(invoice, 1190)
    event["data"]["object"]["metadata"][checkout.INVOICE] = "bill_none"

    assert refusal(session, event) == "not_found"


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


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("11.90", "EUR", 1190),
        ("500", "JPY", 500),
        ("5", "ISK", 500),
        ("5", "UGX", 500),
        ("10.45", "HUF", 1045),
        ("800.45", "TWD", 80045),
        ("5.120", "KWD", 5120),
        ("0.010", "TND", 10),
    ],
)
def test_amounts_are_told_as_stripe_counts_them(amount: str, currency: str, units: int) -> None:
    money = Money(int(Decimal(amount) * 10**6), currency)

    assert to_stripe(money) == units
    assert from_stripe(units, currency.lower()) == money


@pytest.mark.parametrize(
    ("amount", "currency"), [("5.124", "KWD"), ("1", "IQD"), ("1", "LYD"), ("0.001", "EUR")]
)
def test_what_cannot_be_charged_exactly_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(NotPayableOnline):
        to_stripe(Money(int(Decimal(amount) * 10**6), currency))


def test_every_currency_there_and_back_is_the_same() -> None:
    for currency in set(MINOR_DIGITS) - {"IQD", "LYD"}:
        money = Money(1_230 * 10**6, currency)
        assert from_stripe(to_stripe(money), currency.lower()) == money


@pytest.fixture(scope="module")
def stripe() -> Iterator[str]:
    """localstripe in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "tests.services.billing.stripe_server", str(port)])
    address = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            httpx.get(address)
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            break
    yield address
    server.terminate()
    server.wait()


def heard(member: Member, invoice: Invoice, expected: tuple[str, str, str]) -> None:
    for _ in range(100):
        with reading() as session:
            row = billing.invoice(session, member, number_or_id=invoice.id)
            if standing(session, member, row) == expected:
                return
        time.sleep(0.05)
    raise AssertionError(standing(session, member, row))


def test_a_page_is_opened_paid_told_and_refunded_by_signed_messages(
    live_database: str, clock: Clock, stripe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEPORT_STRIPE_API_URL", stripe)
    settings.cache_clear()
    with transaction() as session:
        member = factories.create_member(session)
        invoice = closed(session, clock, member)
    as_person = {"headers": {"Authorization": f"Bearer {KEY}"}}
    with serving(app) as api:
        hook = {"url": f"{api}/v1/stripe/webhook", "secret": SECRET}
        httpx.post(f"{stripe}/_config/webhooks/tuneport", data=hook).raise_for_status()

        link = checkout.payment_link(member, reference=invoice.number, opened=transaction)
        again = checkout.payment_link(member, reference=invoice.id, opened=transaction)
        assert (link.amount, again) == (euros("11.90"), link)
        page = link.url.rpartition("/")[2]
        intent = httpx.post(f"{stripe}/_pay/{page}", **as_person).json()["id"]
        heard(member, invoice, ("paid", "0.00", "11.90"))

        with pytest.raises(ServiceError) as refused:
            checkout.payment_link(member, reference=invoice.number, opened=transaction)
        assert refused.value.code == "invoice_paid"

        httpx.post(f"{stripe}/_refund/{intent}", data={"amount": "595"}, **as_person).raise_for_status()
        heard(member, invoice, ("paid", "0.00", "5.95"))
    with reading() as session:
        assert [str(note.total) for note in notes_of(session, member, invoice)] == ["5.95 EUR"]


def test_an_operator_sends_back_what_was_paid_online_once(
    live_database: str, clock: Clock, stripe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEPORT_STRIPE_API_URL", stripe)
    settings.cache_clear()
    with transaction() as session:
        member = factories.create_member(session)
        invoice = closed(session, clock, member)
    link = checkout.payment_link(member, reference=invoice.number, opened=transaction)
    page, as_person = link.url.rpartition("/")[2], {"headers": {"Authorization": f"Bearer {KEY}"}}
    intent = httpx.post(f"{stripe}/_pay/{page}", **as_person).json()["id"]
    with transaction() as session:
        webhook.receive(session, paid(invoice, 1190, intent=intent))
        [payment] = sending_back.received(session, ADA, tenant_id=member.tenant_id)

    def send(amount: str) -> Money:
        return sending_back.send_back(
            ADA,
            tenant_id=member.tenant_id,
            payment_id=payment.payment.id,
            amount=euros(amount),
            opened=transaction,
        )

    assert (send("5.95"), payment.left, payment.by_provider) == (euros("5.95"), euros("11.90"), True)
    # The provider tells of it too, and of all that went back.
    with transaction() as session:
        webhook.receive(session, sent_back(invoice, 595, intent=intent))
    assert send("1.19") == euros("1.19")

    with reading() as session:
        row = billing.invoice(session, member, number_or_id=invoice.id)
        assert standing(session, member, row) == ("paid", "0.00", "4.76")
        assert [str(note.total) for note in notes_of(session, member, row)] == ["5.95 EUR", "1.19 EUR"]
        assert sending_back.received(session, ADA, tenant_id=member.tenant_id)[0].left == euros("4.76")
    with pytest.raises(ServiceError) as refused:
        send("4.77")
    assert refused.value.code == "refund_too_large"
    monkeypatch.setenv("TUNEPORT_STRIPE_API_URL", "http://127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(ServiceError) as unsure:
        send("1")
    assert unsure.value.code == "refund_unsure"


def test_a_page_for_what_was_owed_before_is_closed(
    live_database: str, clock: Clock, stripe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEPORT_STRIPE_API_URL", stripe)
    settings.cache_clear()
    with transaction() as session:
        member = factories.create_member(session)
        invoice = closed(session, clock, member)
    first = checkout.payment_link(member, reference=invoice.number, opened=transaction)
    with transaction() as session:
        webhook.receive(session, paid(invoice, 190))

    second = checkout.payment_link(member, reference=invoice.number, opened=transaction)

    assert (second.amount, second.url == first.url) == (euros("10"), False)
    page = first.url.rpartition("/")[2]
    closing_again = httpx.post(
        f"{stripe}/v1/checkout/sessions/{page}/expire", headers={"Authorization": f"Bearer {KEY}"}
    )
    assert closing_again.status_code == 400
    with reading() as session:
        assert len(session.exec(owned(Checkout, member).order_by(col(Checkout.created_at))).all()) == 2


def test_where_stripe_does_not_answer_nothing_is_charged_and_that_is_said(
    session: Session, member: Member, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("TUNEPORT_STRIPE_API_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    settings.cache_clear()

    with pytest.raises(ServiceError) as refused:
        checkout.payment_link(member, reference=invoice.number, opened=lambda: nullcontext(session))

    assert refused.value.code == "no_payment_page"


def test_without_settings_or_the_extra_payment_online_is_off(
    session: Session, member: Member, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> set[str]:
        codes = set()
        for ask in (checkout.client, lambda: webhook.verified(b"{}", signed("{}"))):
            with pytest.raises(ServiceError) as error:
                ask()
            codes.add(error.value.code)
        return codes

    # What an import finds where a package is not installed.
    monkeypatch.setitem(sys.modules, "stripe", None)
    assert refused() == {"online_payment_off"}
    monkeypatch.undo()
    monkeypatch.delenv("TUNEPORT_STRIPE_SECRET_KEY", raising=False)
    monkeypatch.delenv("TUNEPORT_STRIPE_WEBHOOK_SECRET", raising=False)
    settings.cache_clear()
    assert refused() == {"online_payment_off"}
    assert not checkout.is_set_up()


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        (lambda body: signed(body, secret="whsec_other"), "bad_signature"),
        (lambda body: signed(body, at=time.time() - 301), "bad_signature"),
        (lambda body: signed(body + " "), "bad_signature"),
        (lambda body: "", "bad_signature"),
        (lambda body: "t=1,v1=00", "bad_signature"),
        (lambda body: "nonsense", "bad_signature"),
    ],
)
def test_a_message_with_a_bad_signature_is_refused_by_code(signature, code: str) -> None:
    body = json.dumps(_event("payment_intent.succeeded", {}))
    with TestClient(app) as http:
        answer = http.post("/v1/stripe/webhook", content=body, headers={"Stripe-Signature": signature(body)})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_signed_message_that_is_no_event_is_refused() -> None:
    with TestClient(app) as http:
        for body in ("[]", "{", '{"type": 1}'):
            answer = http.post("/v1/stripe/webhook", content=body, headers={"Stripe-Signature": signed(body)})
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unusable_message")


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
