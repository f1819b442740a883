"""Refunds that staff begins: what of a payment can be sent back, and sending it, which ends as a credit note.

What was paid online goes back through the provider; a bank transfer staff makes itself, and notes here.
"""

from dataclasses import dataclass

from sqlmodel import Session, col

from services import clock
from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, find, owned
from services.accounts.service import lock_tenant_to_bill
from services.billing.money import Money
from services.billing.online import checkout
from services.billing.online.checkout import Opened
from services.billing.online.units import to_stripe
from services.billing.online.webhook import METHOD as STRIPE
from services.billing.payment_errors import RefundRefused, RefundTooLarge, RefundUnsure
from services.billing.refunds import known, refunded
from services.billing.tables import Invoice, Payment


@dataclass(frozen=True, slots=True)
class Received:
    """A payment, the invoice it was for, and what of it can still be sent back."""

    payment: Payment
    number: str
    left: Money

    @property
    def by_provider(self) -> bool:
        """Does the money go back by itself?"""
        return self.payment.method == STRIPE


def received(session: Session, staff: Staff, *, tenant_id: str) -> list[Received]:
    """What has come in from a workspace, newest first."""
    staff.require(StaffRole.admin)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    numbers = {invoice.id: invoice.number for invoice in session.exec(owned(Invoice, member))}
    came_in = owned(Payment, member).where(Payment.amount > 0).order_by(col(Payment.recorded_at).desc())
    return [
        Received(payment, numbers[payment.invoice_id], _left(session, member, payment))
        for payment in session.exec(came_in)
    ]


def send_back(staff: Staff, *, tenant_id: str, payment_id: str, amount: Money, opened: Opened) -> Money:
    """Send so much of a payment back and record it, once; gives what of it was new.

    `opened` opens a transaction: none is open while the provider is asked. Asked again after a broken
    connection, the provider sends nothing twice, and neither does its own message record it twice.

    Raises:
        NotFound: no such payment of the workspace.
        RefundTooLarge: more than is left of the payment, or nothing.
        OnlinePaymentOff, RefundRefused, RefundUnsure: the provider did not take it, or does not answer.
    """
    staff.require(StaffRole.admin)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    with opened() as session:
        lock_tenant_to_bill(session, member)
        payment = find(session, member, Payment, payment_id, "payment")
        left = _left(session, member, payment)
        if not (amount.currency == left.currency and Money.zero(left.currency) < amount <= left):
            raise RefundTooLarge(left)
        in_all = known(session, member, payment.method, payment.reference, left.currency) + amount
        if payment.method != STRIPE:
            return _recorded(session, staff, payment, amount, in_all)
    _ask_provider(payment, amount, in_all)
    with opened() as session:
        return _recorded(session, staff, payment, amount, in_all)


def _recorded(session: Session, staff: Staff, payment: Payment, amount: Money, in_all: Money) -> Money:
    member = Member(tenant_id=payment.tenant_id, role=Role.owner)
    new = refunded(
        session,
        member,
        invoice_id=payment.invoice_id,
        method=payment.method,
        reference=payment.reference,
        in_all=in_all,
        on=clock.now().date(),
    )
    audit.record(
        session,
        staff,
        "payment.refunded",
        payment.id,
        tenant_id=payment.tenant_id,
        amount=amount.micros,
    )
    return new


def _left(session: Session, member: Member, payment: Payment) -> Money:
    """What came in, less what of the same transfer went back; money below zero is no payment."""
    invoice = find(session, member, Invoice, payment.invoice_id, "invoice")
    zero = Money.zero(invoice.currency)
    gone = known(session, member, payment.method, payment.reference, invoice.currency, invoice_id=invoice.id)
    return max(Money(payment.amount, invoice.currency) - gone, zero)


def _ask_provider(payment: Payment, amount: Money, in_all: Money) -> None:
    stripe = checkout.client()
    from stripe import InvalidRequestError, StripeError

    try:
        sent = stripe.v1.refunds.create(
            params={"payment_intent": payment.reference, "amount": to_stripe(amount)},
            # The next part of the same payment is another refund.
            options={"idempotency_key": f"refund:{payment.id}:{in_all.micros}"},
        )
    except InvalidRequestError as error:
        raise RefundRefused(error.user_message or "it does not say why") from error
    except StripeError as error:
        raise RefundUnsure from error
    if sent.status in ("failed", "canceled"):
        raise RefundRefused(f"the refund {sent.status}")
