"""Money that comes in for invoices, recorded by staff or told by a payment provider."""

from datetime import date

from sqlmodel import Session

from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, find, owned
from services.accounts.service import lock_tenant_to_bill
from services.billing.errors import InvoicePaid, InvoiceVoid, PaymentTooLarge
from services.billing.money import Money
from services.billing.owing import outstanding
from services.billing.tables import Invoice, InvoiceState, Payment

BANK_TRANSFER = "bank_transfer"


def record_by_hand(
    session: Session,
    staff: Staff,
    *,
    tenant_id: str,
    invoice_id: str,
    amount: Money,
    reference: str,
    received_on: date,
) -> Payment:
    """Note a bank transfer; raises as `record` does."""
    staff.require(StaffRole.admin)
    payment = record(
        session,
        Member(tenant_id=tenant_id, role=Role.owner),
        invoice_id=invoice_id,
        amount=amount,
        method=BANK_TRANSFER,
        reference=reference,
        received_on=received_on,
        recorded_by=staff.user_id,
    )
    audit.record(session, staff, "payment.recorded", payment.id, tenant_id=tenant_id, amount=amount.micros)
    return payment


def record(
    session: Session,
    member: Member,
    *,
    invoice_id: str,
    amount: Money,
    method: str,
    reference: str,
    received_on: date,
    recorded_by: str,
) -> Payment:
    """Note that money came in; an invoice of which nothing is owed any more is paid.

    The same payment, told again, changes nothing and is given back as it was recorded.

    Raises:
        NotFound: no such invoice in the workspace.
        InvoiceVoid, InvoicePaid: nothing is owed of it.
        PaymentTooLarge: more than is owed, or nothing.
    """
    lock_tenant_to_bill(session, member)
    invoice = find(session, member, Invoice, invoice_id, "invoice")
    same = owned(Payment, member).where(
        Payment.invoice_id == invoice.id, Payment.method == method, Payment.reference == reference.strip()
    )
    if known := session.exec(same).one_or_none():
        return known
    if invoice.state is InvoiceState.void:
        raise InvoiceVoid(invoice.number)
    if invoice.state is InvoiceState.paid:
        raise InvoicePaid(invoice.number)
    owed = outstanding(session, member, invoice)
    if not (amount.currency == owed.currency and 0 < amount.micros <= owed.micros):
        raise PaymentTooLarge(invoice.number, owed)

    payment = Payment(
        tenant_id=member.tenant_id,
        invoice_id=invoice.id,
        amount=amount.micros,
        method=method,
        reference=reference.strip(),
        received_on=received_on,
        recorded_by=recorded_by,
    )
    if amount == owed:
        invoice.state = InvoiceState.paid
    session.add_all([payment, invoice])
    session.flush()
    return payment


def write_off(session: Session, staff: Staff, *, tenant_id: str, invoice_id: str) -> Invoice:
    """Expect an open invoice to be paid no more; a payment that comes in after all is still taken.

    Raises:
        InvoiceVoid, InvoicePaid: nothing is owed of it.
    """
    staff.require(StaffRole.admin)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    lock_tenant_to_bill(session, member)
    invoice = find(session, member, Invoice, invoice_id, "invoice")
    if invoice.state is InvoiceState.void:
        raise InvoiceVoid(invoice.number)
    if invoice.state is InvoiceState.paid:
        raise InvoicePaid(invoice.number)
    invoice.state = InvoiceState.uncollectible
    session.add(invoice)
    session.flush()
    audit.record(session, staff, "invoice.written_off", invoice.id, tenant_id=tenant_id)
    return invoice
