"""Money that a payment provider tells of: an invoice takes what it is owed, an operator decides on the rest.

A payment is told any number of times, late, and in any order; it counts once, under its reference.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlmodel import Session, col

from services import clock
from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, find, owned
from services.accounts.service import all_tenants, lock_tenant_to_bill
from services.accounts.tables import Tenant
from services.billing import payments
from services.billing.credits import NewCredit, grant_credit
from services.billing.errors import InvoicePaid, InvoiceVoid, PaymentTooLarge
from services.billing.money import Money
from services.billing.owing import outstanding
from services.billing.payment_errors import PaymentInOtherCurrency
from services.billing.tables import Invoice, Payment, StrayPayment
from services.errors import ServiceError


class Settlement(StrEnum):
    """What an operator did about a stray payment."""

    sent_back = "sent back"
    credited = "kept as prepaid credit"
    explained = "explained"


@dataclass(frozen=True, slots=True)
class Stray:
    """A stray payment, and whose it is."""

    tenant: Tenant
    payment: StrayPayment


def take(
    session: Session,
    member: Member,
    *,
    invoice_id: str,
    amount: Money,
    method: str,
    reference: str,
    received_on: date,
) -> Payment | StrayPayment:
    """Record what came in; what the invoice does not take, in part or as a whole, becomes a stray payment.

    Raises:
        NotFound: no such invoice in the workspace.
    """
    lock_tenant_to_bill(session, member)
    invoice = find(session, member, Invoice, invoice_id, "invoice")
    same = (col(StrayPayment.method) == method, col(StrayPayment.reference) == reference)
    if stray := session.exec(owned(StrayPayment, member).where(*same)).one_or_none():
        return stray
    told = owned(Payment, member).where(Payment.method == method, Payment.reference == reference)
    if known := session.exec(told).first():
        return known
    if amount.currency != invoice.currency:
        reason = PaymentInOtherCurrency(invoice.number, amount, invoice.currency)
        return note(session, invoice, reason, amount=amount, method=method, reference=reference)
    owed = outstanding(session, member, invoice)
    taken = min(amount, owed)
    try:
        payment = payments.record(
            session,
            member,
            invoice_id=invoice.id,
            amount=taken,
            method=method,
            reference=reference,
            received_on=received_on,
            recorded_by=method,
        )
    except (InvoicePaid, InvoiceVoid, PaymentTooLarge) as reason:
        return note(session, invoice, reason, amount=amount, method=method, reference=reference)
    audit.record(
        session,
        audit.SYSTEM,
        "payment.recorded",
        payment.id,
        tenant_id=member.tenant_id,
        amount=taken.micros,
    )
    if amount == taken:
        return payment
    too_much = PaymentTooLarge(invoice.number, owed)
    return note(session, invoice, too_much, amount=amount - taken, method=method, reference=reference)


def note(
    session: Session,
    invoice: Invoice,
    reason: ServiceError,
    *,
    amount: Money,
    method: str,
    reference: str,
) -> StrayPayment:
    """Keep money that no invoice explains, with the reason, for an operator to decide about."""
    stray = StrayPayment(
        tenant_id=invoice.tenant_id,
        invoice_id=invoice.id,
        method=method,
        reference=reference,
        currency=amount.currency,
        amount=amount.micros,
        left=amount.micros,
        code=reason.code,
        sentence=reason.message,
    )
    session.add(stray)
    session.flush()
    audit.record(
        session,
        audit.SYSTEM,
        "payment.strayed",
        stray.id,
        tenant_id=invoice.tenant_id,
        amount=amount.micros,
        code=reason.code,
    )
    return stray


def undecided(session: Session, staff: Staff) -> list[Stray]:
    """The stray payments of all workspaces that nobody has decided about, oldest first."""
    staff.require(StaffRole.admin)
    found = []
    for tenant in all_tenants(session):
        member = Member(tenant_id=tenant.id, role=Role.owner)
        open_ones = owned(StrayPayment, member).where(col(StrayPayment.settled_at).is_(None))
        found += [Stray(tenant, payment) for payment in session.exec(open_ones)]
    return sorted(found, key=lambda stray: stray.payment.noted_at)


def settle(
    session: Session, staff: Staff, *, tenant_id: str, stray_id: str, settlement: Settlement
) -> StrayPayment:
    """Note what was done about a stray payment; as credit it pays the workspace's invoices to come.

    One that is settled already stays as it is.

    Raises:
        NotFound: no such stray payment in the workspace.
        CurrencyDiffers: it is to be kept as credit, and the workspace is billed in another currency.
    """
    staff.require(StaffRole.admin)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    lock_tenant_to_bill(session, member)
    stray = find(session, member, StrayPayment, stray_id, "stray payment")
    if stray.settled_at is not None:
        return stray
    left = Money(stray.left, stray.currency)
    if settlement is Settlement.credited and left.micros > 0:
        reason = f"Payment {stray.reference}"
        grant_credit(
            session, staff, tenant_id=tenant_id, credit=NewCredit(amount=left, reason=reason, prepaid=True)
        )
    closed(stray, by=staff.user_id, settlement=settlement)
    session.add(stray)
    session.flush()
    audit.record(
        session,
        staff,
        "stray_payment.settled",
        stray.id,
        tenant_id=tenant_id,
        settlement=settlement.value,
    )
    return stray


def closed(stray: StrayPayment, *, by: str, settlement: Settlement) -> None:
    """Nothing of it is undecided any more."""
    stray.left, stray.settled_at, stray.settled_by = 0, clock.now(), by
    stray.settlement = settlement.value
