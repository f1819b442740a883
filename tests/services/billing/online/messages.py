"""Messages as Stripe sends them, an invoice to pay, and how it stands."""

import hashlib
import hmac
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlmodel import Session

from services.accounts.scope import Member, Staff, StaffRole
from services.billing import closing
from services.billing.money import Money
from services.billing.online import checkout, webhook
from services.billing.owing import outstanding, received
from services.billing.period import Month
from services.billing.tables import Invoice
from services.errors import ServiceError
from tests.services.billing.factories import Clock, record, travel

ADA = Staff(user_id="ada", role=StaffRole.admin)
SECRET = "whsec_test"
KEY = "sk_test_12345"


def euros(amount: str) -> Money:
    return Money(int(Decimal(amount) * 10**6), "EUR")


def closed(session: Session, clock: Clock, member: Member) -> Invoice:
    """10 euros of use in November, 11.90 with tax."""
    travel(clock, "2026-12-02T00:00")
    record(session, member, texts=50_000, at=datetime(2026, 11, 10, 12, tzinfo=UTC))
    made = closing.finalise(session, member, month=Month(2026, 11))
    assert made is not None
    return made


def names(invoice: Invoice) -> dict[str, str]:
    return {checkout.TENANT: invoice.tenant_id, checkout.INVOICE: invoice.id}


def paid(invoice: Invoice, cents: int, *, intent: str = "pi_1", currency: str = "eur") -> dict:
    told = {"id": intent, "amount_received": cents, "amount": cents, "currency": currency}
    return event("payment_intent.succeeded", told | {"metadata": names(invoice)})


def sent_back(invoice: Invoice, cents_in_all: int, *, intent: str = "pi_1") -> dict:
    told = {"id": "ch_1", "payment_intent": intent, "amount_refunded": cents_in_all, "currency": "eur"}
    return event("charge.refunded", told | {"metadata": names(invoice)})


def event(kind: str, told: dict) -> dict:
    return {"id": "evt_1", "type": kind, "created": 1_796_000_000, "data": {"object": told}}


def signed(body: str, *, secret: str = SECRET, at: float | None = None) -> str:
    """Source of the scheme: https://docs.stripe.com/webhooks/signature."""
    stamp = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def refusal(session: Session, told: dict) -> str:
    with pytest.raises(ServiceError) as refused:
        webhook.receive(session, told)
    return refused.value.code


def standing(session: Session, member: Member, invoice: Invoice) -> tuple[str, str, str]:
    """State, what is owed, and what came in less what went back."""
    session.refresh(invoice)
    owed, cash = outstanding(session, member, invoice), received(session, member, invoice)
    return invoice.state.value, f"{owed.amount:.2f}", f"{cash.amount:.2f}"
