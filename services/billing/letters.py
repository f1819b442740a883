"""E-mails with finalised invoices: noted with the invoice, begun once, and then sent or failed.

Nobody can know whether a letter went out whose sender died in between: it is not sent again by itself, and an
operator decides.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col

from services import clock, mail
from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, owned
from services.accounts.service import all_tenants
from services.accounts.tables import Tenant
from services.billing.tables import Invoice, InvoiceLetter
from services.errors import NotFound

# Tries before only an operator starts another.
MOST_ATTEMPTS = 12
# After which nobody is at it any more.
_DEAD_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Unsent:
    """A letter that did not go out, or of which nobody knows, and why."""

    tenant: Tenant
    invoice: Invoice
    why: str
    attempts: int


def note(session: Session, invoice: Invoice) -> None:
    """Have an invoice sent that is finalised in this transaction; without a mail server nothing is noted."""
    if mail.is_set_up():
        session.add(InvoiceLetter(tenant_id=invoice.tenant_id, invoice_id=invoice.id))
        session.flush()


def due(session: Session, member: Member) -> list[str]:
    """The invoices that are to be sent now."""
    waiting = owned(InvoiceLetter, member).where(
        col(InvoiceLetter.sent_at).is_(None),
        col(InvoiceLetter.begun_at).is_(None),
        InvoiceLetter.attempts < MOST_ATTEMPTS,
    )
    return [letter.invoice_id for letter in session.exec(waiting.order_by(col(InvoiceLetter.id)))]


def begin(session: Session, member: Member, *, invoice_id: str) -> bool:
    """Take a letter to send it; False where somebody else has it, or it went out."""
    letter = _of(session, member, invoice_id)
    if letter.begun_at is not None or letter.sent_at is not None:
        return False
    letter.begun_at = clock.now()
    letter.attempts += 1
    session.add(letter)
    session.flush()
    return True


def end(session: Session, member: Member, *, invoice_id: str, failure: str | None = None) -> None:
    """Note that a letter went out, or why it did not."""
    letter = _of(session, member, invoice_id)
    letter.begun_at, letter.failure = None, failure
    if failure is None:
        letter.sent_at = clock.now()
        audit.record(session, audit.SYSTEM, "invoice.sent", invoice_id, tenant_id=member.tenant_id)
    session.add(letter)
    session.flush()


def unsent(session: Session, staff: Staff) -> list[Unsent]:
    """Letters of all workspaces that failed, or whose sender died over them."""
    staff.require(StaffRole.admin)
    found = []
    for tenant in all_tenants(session):
        member = Member(tenant_id=tenant.id, role=Role.owner)
        for letter in session.exec(owned(InvoiceLetter, member).where(col(InvoiceLetter.sent_at).is_(None))):
            why = letter.failure
            if letter.begun_at is not None and letter.begun_at < clock.now() - _DEAD_AFTER:
                why = "Whoever sent it stopped meanwhile: it may have gone out, or not."
            if why is not None:
                invoice = session.exec(owned(Invoice, member).where(Invoice.id == letter.invoice_id)).one()
                found.append(Unsent(tenant, invoice, why, letter.attempts))
    return found


def send_again(session: Session, staff: Staff, *, tenant_id: str, invoice_id: str) -> None:
    """Have a letter sent that failed, or of which nobody knows; one that went out stays as it is.

    Raises:
        NotFound: no letter is noted for such an invoice of the workspace.
    """
    staff.require(StaffRole.admin)
    letter = _of(session, Member(tenant_id=tenant_id, role=Role.owner), invoice_id)
    if letter.sent_at is None:
        letter.begun_at, letter.failure, letter.attempts = None, None, 0
        session.add(letter)
        session.flush()
        audit.record(session, staff, "invoice.sent_again", invoice_id, tenant_id=tenant_id)


def _of(session: Session, member: Member, invoice_id: str) -> InvoiceLetter:
    of_invoice = owned(InvoiceLetter, member).where(InvoiceLetter.invoice_id == invoice_id)
    letter = session.exec(of_invoice.with_for_update()).one_or_none()
    if letter is None:
        raise NotFound("letter")
    return letter
