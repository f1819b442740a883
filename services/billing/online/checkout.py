"""A page of Stripe Checkout on which an open invoice is paid."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session, col

from services import clock
from services.accounts.scope import Member, owned
from services.billing.errors import InvoicePaid, InvoiceVoid
from services.billing.money import Money
from services.billing.online.units import to_stripe
from services.billing.owing import outstanding
from services.billing.payment_errors import NoPaymentPage, NotPayableOnline, OnlinePaymentOff
from services.billing.service import invoice as invoice_named
from services.billing.snapshot import Snapshot
from services.billing.tables import Checkout, InvoiceState
from services.config import settings

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.checkout import Session as Page

# By what we know our own payments again among all that a Stripe account tells of.
TENANT, INVOICE = "tuneport_workspace", "tuneport_invoice"
# A page that is about to end helps nobody.
_STILL_GOOD = timedelta(minutes=10)
_HOUR = timedelta(hours=1)

Opened = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Link:
    """Where so much of an invoice can be paid, and until when."""

    url: str
    amount: Money
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Due:
    invoice_id: str
    number: str
    amount: Money
    shown: Snapshot
    known: Link | None
    # Pages on which another amount could still be paid.
    outdated: tuple[str, ...]


def is_set_up() -> bool:
    """Do the settings name an account?"""
    return bool(settings().stripe_secret_key.get_secret_value())


def payment_link(member: Member, *, reference: str, opened: Opened) -> Link:
    """A page on which what is owed of an invoice can be paid; asked twice within an hour, the same page.

    `reference` is the invoice's number or id, and `opened` opens a transaction: none is open while Stripe is
    asked. A page for what was owed before is closed, so that nobody pays both.

    Raises:
        OnlinePaymentOff: the operator has not set it up.
        NotFound: no such invoice in the workspace.
        InvoiceVoid, InvoicePaid: nothing is owed of it.
        NotPayableOnline: this amount, or this currency, cannot be charged.
        NoPaymentPage: Stripe does not answer.
    """
    with opened() as session:
        due = _due(session, member, reference)
    stripe = client()
    if due.known is not None:
        return due.known
    page = _opened_page(stripe, member, due)
    link = Link(page.url or "", due.amount, datetime.fromtimestamp(page.expires_at, clock.now().tzinfo))
    with opened() as session:
        row = Checkout(
            id=page.id,
            tenant_id=member.tenant_id,
            invoice_id=due.invoice_id,
            amount=due.amount.micros,
            url=link.url,
            expires_at=link.expires_at,
        )
        session.merge(row)
    return link


def client() -> "StripeClient":
    """Stripe, under the operator's key.

    Raises:
        OnlinePaymentOff: there is no key, or the extra is not installed.
    """
    if not is_set_up():
        raise OnlinePaymentOff
    try:
        from stripe import StripeClient
    except ImportError as error:
        raise OnlinePaymentOff from error
    return StripeClient(
        settings().stripe_secret_key.get_secret_value(),
        base_addresses={"api": settings().stripe_api_url.rstrip("/")},
        max_network_retries=2,
    )


def _due(session: Session, member: Member, reference: str) -> _Due:
    invoice = invoice_named(session, member, number_or_id=reference)
    if invoice.state is InvoiceState.void:
        raise InvoiceVoid(invoice.number)
    owed = outstanding(session, member, invoice)
    if not owed.micros:
        raise InvoicePaid(invoice.number)
    pages = owned(Checkout, member).where(
        Checkout.invoice_id == invoice.id, col(Checkout.expires_at) > clock.now() + _STILL_GOOD
    )
    known, outdated = None, []
    for page in session.exec(pages):
        if page.amount == owed.micros:
            known = Link(page.url, owed, page.expires_at)
        else:
            outdated.append(page.id)
    return _Due(
        invoice_id=invoice.id,
        number=invoice.number,
        amount=owed,
        shown=Snapshot.from_json(invoice.snapshot),
        known=known,
        outdated=tuple(outdated),
    )


def _opened_page(stripe: "StripeClient", member: Member, due: _Due) -> "Page":
    from stripe import InvalidRequestError, StripeError

    units = to_stripe(due.amount)
    # Of one hour, so that who asks twice asks for the same page.
    ends_at = int((clock.now().replace(minute=0, second=0, microsecond=0) + 2 * _HOUR).timestamp())
    back = f"{settings().portal_url.rstrip('/')}/invoice?invoice={due.number}"
    known_by = {TENANT: member.tenant_id, INVOICE: due.invoice_id}
    try:
        for outdated in due.outdated:
            # One that was paid or has ended cannot be closed, and need not be.
            with suppress(InvalidRequestError):
                stripe.v1.checkout.sessions.expire(outdated)
        return stripe.v1.checkout.sessions.create(
            params={
                "mode": "payment",
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": due.amount.currency.lower(),
                            "unit_amount": units,
                            "product_data": {"name": f"{due.shown.seller.name} {due.number}"},
                        },
                    }
                ],
                "client_reference_id": due.number,
                "metadata": known_by,
                "payment_intent_data": {"metadata": known_by, "description": due.number},
                **({"customer_email": due.shown.customer.email} if due.shown.customer.email else {}),
                "locale": due.shown.language.value,
                "success_url": f"{back}&paid=1",
                "cancel_url": back,
                "expires_at": ends_at,
            },
            options={"idempotency_key": f"checkout:{due.invoice_id}:{units}:{ends_at}"},
        )
    except InvalidRequestError as error:
        raise NotPayableOnline(error.user_message or "Stripe does not take it") from error
    except StripeError as error:
        raise NoPaymentPage from error
