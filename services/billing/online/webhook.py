"""What Stripe tells us: a payment came in, money was sent back, or did not arrive.

A payment intent is the fact, whatever page or method it came by: an account's other payments do not carry our
names and are left alone. Source: https://docs.stripe.com/webhooks and https://docs.stripe.com/api/events/types.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from services.accounts.scope import Member, Role, across, find, owned
from services.accounts.service import lock_tenant_to_bill
from services.billing import strays
from services.billing.money import Money, UnknownCurrency
from services.billing.online.checkout import INVOICE, TENANT
from services.billing.online.units import from_stripe
from services.billing.payment_errors import BadSignature, OnlinePaymentOff, RefundFailed, UnusableMessage
from services.billing.refunds import refunded
from services.billing.tables import Invoice, Payment, StrayPayment
from services.config import settings

METHOD = "stripe"
# How old a message may be, in seconds: Stripe signs a repeated one anew. Its own default.
_TOLERANCE = 300


class Outcome(StrEnum):
    """What became of a message."""

    recorded = "recorded"
    stray = "stray"  # kept for an operator
    ignored = "ignored"  # none of ours, or of no matter


def verified(body: bytes, signature: str) -> dict[str, Any]:
    """The event in a message, after a look at its signature.

    Raises:
        OnlinePaymentOff: no secret is set, or the extra is not installed.
        BadSignature: it was not signed with our secret, or too long ago.
        UnusableMessage: it is no event.
    """
    secret = settings().stripe_webhook_secret.get_secret_value()
    if not secret:
        raise OnlinePaymentOff
    try:
        from stripe import SignatureVerificationError, WebhookSignature
    except ImportError as error:
        raise OnlinePaymentOff from error
    try:
        text = body.decode()
        WebhookSignature.verify_header(text, signature, secret, tolerance=_TOLERANCE)
    except (SignatureVerificationError, UnicodeDecodeError) as error:
        raise BadSignature from error
    try:
        event = json.loads(text)
    except ValueError as error:
        raise UnusableMessage("it is no JSON") from error
    if not isinstance(event, dict):
        raise UnusableMessage("it is no event")
    return event


def receive(session: Session, event: Mapping[str, Any]) -> Outcome:
    """Do what an event asks for; told again, it does nothing.

    Raises:
        NotFound: it names an invoice of ours that is not there.
        UnusableMessage: it lacks what it needs.
    """
    try:
        told: dict[str, Any] = event["data"]["object"]
        day = datetime.fromtimestamp(event["created"], UTC)
        match event["type"]:
            case "payment_intent.succeeded":
                return _paid(session, told, day)
            case "charge.refunded":
                return _sent_back(session, told, day)
            case "refund.failed":
                return _came_back(session, told)
            case _:
                return Outcome.ignored
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UnusableMessage(f"“{event.get('type')}” lacks {error}") from error


def _paid(session: Session, intent: Mapping[str, Any], at: datetime) -> Outcome:
    names = _named(intent)
    if names is None:
        return Outcome.ignored
    member, invoice_id = names
    taken = strays.take(
        session,
        member,
        invoice_id=invoice_id,
        amount=_money(intent.get("amount_received", intent["amount"]), intent["currency"]),
        method=METHOD,
        reference=intent["id"],
        received_on=at.date(),
    )
    return Outcome.stray if isinstance(taken, StrayPayment) else Outcome.recorded


def _sent_back(session: Session, charge: Mapping[str, Any], at: datetime) -> Outcome:
    names = _named(charge)
    if names is None:
        return Outcome.ignored
    member, invoice_id = names
    refunded(
        session,
        member,
        invoice_id=invoice_id,
        method=METHOD,
        reference=charge["payment_intent"],
        in_all=_money(charge["amount_refunded"], charge["currency"]),
        on=at.date(),
    )
    return Outcome.recorded


def _came_back(session: Session, refund: Mapping[str, Any]) -> Outcome:
    # A refund carries no names of ours: whose it is follows from the payment that it was of.
    of = across(Payment).where(Payment.method == METHOD, Payment.reference == refund["payment_intent"])
    payment = session.exec(of).first()
    if payment is None:
        return Outcome.ignored
    member = Member(tenant_id=payment.tenant_id, role=Role.owner)
    lock_tenant_to_bill(session, member)
    invoice = find(session, member, Invoice, payment.invoice_id, "invoice")
    amount, reference = _money(refund["amount"], refund["currency"]), f"{refund['id']}:failed"
    same = owned(StrayPayment, member).where(
        StrayPayment.method == METHOD, StrayPayment.reference == reference
    )
    if session.exec(same).first() is None:
        reason = RefundFailed(invoice.number, amount)
        strays.note(session, invoice, reason, amount=amount, method=METHOD, reference=reference)
    return Outcome.stray


def _named(told: Mapping[str, Any]) -> tuple[Member, str] | None:
    names = told.get("metadata") or {}
    if TENANT not in names or INVOICE not in names:
        return None
    return Member(tenant_id=str(names[TENANT]), role=Role.owner), str(names[INVOICE])


def _money(units: object, currency: object) -> Money:
    if not isinstance(units, int) or not isinstance(currency, str):
        raise UnusableMessage("its amount is none")
    try:
        return from_stripe(units, currency)
    except UnknownCurrency as error:
        raise UnusableMessage(error.message) from error
