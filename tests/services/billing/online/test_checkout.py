"""A page to pay on, and the signed messages that follow from it."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session, col

from services.accounts.scope import Member, owned
from services.api.app import app
from services.billing import sending_back
from services.billing import service as billing
from services.billing.money import Money
from services.billing.notes import notes_of
from services.billing.online import checkout, webhook
from services.billing.tables import Checkout, Invoice
from services.config import settings
from services.db import reading, transaction
from services.errors import ServiceError
from tests import factories
from tests.servers import serving
from tests.services.billing.factories import Clock
from tests.services.billing.online.messages import (
    ADA,
    KEY,
    SECRET,
    closed,
    euros,
    event,
    paid,
    sent_back,
    signed,
    standing,
)


@pytest.fixture(scope="module")
def stripe() -> Iterator[str]:
    """localstripe in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.services.billing.online.stripe_server", str(port)]
    )
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
    body = json.dumps(event("payment_intent.succeeded", {}))
    with TestClient(app) as http:
        answer = http.post("/v1/stripe/webhook", content=body, headers={"Stripe-Signature": signature(body)})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_signed_message_that_is_no_event_is_refused() -> None:
    with TestClient(app) as http:
        for body in ("[]", "{", '{"type": 1}'):
            answer = http.post("/v1/stripe/webhook", content=body, headers={"Stripe-Signature": signed(body)})
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unusable_message")
