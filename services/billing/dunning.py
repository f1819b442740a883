"""Reminders of invoices that are overdue: what is due to be sent, and what it says."""

from datetime import timedelta

from sqlmodel import Session, col

from services import clock
from services.accounts.scope import Member, owned
from services.accounts.service import get_tenant
from services.billing.owing import outstanding
from services.billing.tables import Invoice, InvoiceState, Reminder
from services.config import settings
from services.metering.days import day_of

# Days after the due date on which the first, the second and the last reminder go out.
REMIND_AFTER = (3, 14, 28)


def overdue(session: Session, member: Member) -> list[Invoice]:
    """The open invoices whose due date is past, oldest first."""
    today = day_of(clock.now(), get_tenant(session, member).time_zone)
    late = owned(Invoice, member).where(Invoice.state == InvoiceState.open, col(Invoice.due_on) < today)
    return list(session.exec(late.order_by(col(Invoice.due_on))))


def due_reminders(session: Session, member: Member) -> list[tuple[Invoice, int]]:
    """The overdue invoices that somebody is to be reminded of now, each with the reminder's level from 1."""
    found = [(invoice, _level(session, member, invoice)) for invoice in overdue(session, member)]
    return [(invoice, level) for invoice, level in found if level]


def letter(session: Session, member: Member, invoice: Invoice, level: int) -> tuple[str, str]:
    """The subject and the text of a reminder."""
    owed = outstanding(session, member, invoice)
    name = ("Reminder", "Second reminder", "Last reminder")[level - 1]
    text = (
        f"{owed} of the invoice {invoice.number} was due on {invoice.due_on} and has not come in yet.\n"
        f"{settings().seller_payment}\n\n"
        f"The invoice, line by line: {settings().portal_url}/invoice?invoice={invoice.number}\n"
        "If your payment is on its way, please take no notice of this letter.\n\n"
        f"{settings().seller_name}\n"
    )
    return f"{name}: invoice {invoice.number}", text


def note_reminder(session: Session, member: Member, *, invoice_id: str, level: int) -> None:
    """Remember that a reminder went out."""
    session.add(Reminder(tenant_id=member.tenant_id, invoice_id=invoice_id, level=level))
    session.flush()


def _level(session: Session, member: Member, invoice: Invoice) -> int:
    """The reminder that is due next, counted from 1; 0 where none is."""
    assert invoice.due_on is not None
    sent = session.exec(owned(Reminder, member).where(Reminder.invoice_id == invoice.id)).all()
    level = max((reminder.level for reminder in sent), default=0) + 1
    today = day_of(clock.now(), get_tenant(session, member).time_zone)
    is_due = level <= len(REMIND_AFTER) and today >= invoice.due_on + timedelta(REMIND_AFTER[level - 1])
    return level if is_due else 0
