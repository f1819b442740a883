"""What is still owed of an invoice: its amount, less what came in and what was taken back."""

from sqlmodel import Session

from services.accounts.scope import Member, owned
from services.billing.money import Money, total
from services.billing.tables import CreditNote, Invoice, InvoiceState, Payment


def outstanding(session: Session, member: Member, invoice: Invoice) -> Money:
    """What the customer still has to pay; nothing of an invoice that is paid or void."""
    if invoice.state in (InvoiceState.void, InvoiceState.paid):
        return Money.zero(invoice.currency)
    return owed_at_most(session, member, invoice)


def owed_at_most(session: Session, member: Member, invoice: Invoice) -> Money:
    """The amount to pay, less payments and less what credit notes took off it before it was paid.

    What pays later invoices instead took nothing off this one, as long as it was not sent back.
    """
    notes = session.exec(owned(CreditNote, member).where(CreditNote.invoice_id == invoice.id))
    smaller = total(
        (Money(note.total - note.balance + note.returned, note.currency) for note in notes), invoice.currency
    )
    owed = Money(invoice.payable, invoice.currency) - received(session, member, invoice) - smaller
    return max(owed, Money.zero(invoice.currency))


def received(session: Session, member: Member, invoice: Invoice) -> Money:
    """What came in for an invoice so far, less what was sent back."""
    rows = session.exec(owned(Payment, member).where(Payment.invoice_id == invoice.id))
    return total((Money(row.amount, invoice.currency) for row in rows), invoice.currency)
