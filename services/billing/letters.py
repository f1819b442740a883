"""E-mails with invoices and credit notes: noted with the document, begun once, and then sent or failed.

Nobody can know whether a letter went out whose sender died in between: it is not sent again by itself, and an
operator decides.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col

from services import clock, mail
from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, find, owned
from services.accounts.service import all_tenants
from services.accounts.tables import Tenant
from services.billing.tables import CreditNote, CreditNoteLetter, Invoice, InvoiceLetter
from services.errors import NotFound

# Tries before only an operator starts another.
MOST_ATTEMPTS = 12
# After which nobody is at it any more.
_DEAD_AFTER = timedelta(minutes=10)

Letter = InvoiceLetter | CreditNoteLetter


@dataclass(frozen=True, slots=True)
class Unsent:
    """A letter that did not go out, or of which nobody knows, and why; `number` is its document's."""

    tenant: Tenant
    document_id: str
    number: str
    why: str
    attempts: int


def note(session: Session, document: Invoice | CreditNote) -> None:
    """Have a document sent that is made in this transaction; without a mail server nothing is noted."""
    if not mail.is_set_up():
        return
    if isinstance(document, Invoice):
        session.add(InvoiceLetter(tenant_id=document.tenant_id, invoice_id=document.id))
    else:
        session.add(CreditNoteLetter(tenant_id=document.tenant_id, credit_note_id=document.id))
    session.flush()


def due(session: Session, member: Member) -> list[str]:
    """The ids of the invoices, and then of the credit notes, that are to be sent now."""
    return [
        _document_of(letter)
        for letter in _letters(session, member)
        if letter.begun_at is None and letter.attempts < MOST_ATTEMPTS
    ]


def begin(session: Session, member: Member, *, document_id: str) -> bool:
    """Take a letter to send it; False where somebody else has it, or it went out."""
    letter = _of(session, member, document_id)
    if letter.begun_at is not None or letter.sent_at is not None:
        return False
    letter.begun_at = clock.now()
    letter.attempts += 1
    session.add(letter)
    session.flush()
    return True


def end(session: Session, member: Member, *, document_id: str, failure: str | None = None) -> None:
    """Note that a letter went out, or why it did not."""
    letter = _of(session, member, document_id)
    letter.begun_at, letter.failure = None, failure
    if failure is None:
        letter.sent_at = clock.now()
        action = f"{_noun(letter)}.sent"
        audit.record(session, audit.SYSTEM, action, document_id, tenant_id=member.tenant_id)
    session.add(letter)
    session.flush()


def unsent(session: Session, staff: Staff) -> list[Unsent]:
    """Letters of all workspaces that failed, or whose sender died over them."""
    staff.require(StaffRole.admin)
    found = []
    for tenant in all_tenants(session):
        member = Member(tenant_id=tenant.id, role=Role.owner)
        for letter in _letters(session, member):
            why = letter.failure
            if letter.begun_at is not None and letter.begun_at < clock.now() - _DEAD_AFTER:
                why = "Whoever sent it stopped meanwhile: it may have gone out, or not."
            if why is not None:
                document = _document_of(letter)
                number = _number(session, member, letter)
                found.append(Unsent(tenant, document, number, why, letter.attempts))
    return found


def send_again(session: Session, staff: Staff, *, tenant_id: str, document_id: str) -> None:
    """Have a letter sent that failed, or of which nobody knows; one that went out stays as it is.

    Raises:
        NotFound: no letter is noted for such a document of the workspace.
    """
    staff.require(StaffRole.admin)
    letter = _of(session, Member(tenant_id=tenant_id, role=Role.owner), document_id)
    if letter.sent_at is None:
        letter.begun_at, letter.failure, letter.attempts = None, None, 0
        session.add(letter)
        session.flush()
        audit.record(session, staff, f"{_noun(letter)}.sent_again", document_id, tenant_id=tenant_id)


def _letters(session: Session, member: Member) -> list[Letter]:
    """Those that wait, invoices first, oldest first."""
    of_invoices = owned(InvoiceLetter, member).where(col(InvoiceLetter.sent_at).is_(None))
    of_notes = owned(CreditNoteLetter, member).where(col(CreditNoteLetter.sent_at).is_(None))
    return [
        *session.exec(of_invoices.order_by(col(InvoiceLetter.id))),
        *session.exec(of_notes.order_by(col(CreditNoteLetter.id))),
    ]


def _of(session: Session, member: Member, document_id: str) -> Letter:
    of_invoice = owned(InvoiceLetter, member).where(InvoiceLetter.invoice_id == document_id)
    of_note = owned(CreditNoteLetter, member).where(CreditNoteLetter.credit_note_id == document_id)
    letter: Letter | None = session.exec(of_invoice.with_for_update()).one_or_none()
    letter = letter or session.exec(of_note.with_for_update()).one_or_none()
    if letter is None:
        raise NotFound("letter")
    return letter


def _document_of(letter: Letter) -> str:
    return letter.invoice_id if isinstance(letter, InvoiceLetter) else letter.credit_note_id


def _noun(letter: Letter) -> str:
    return "invoice" if isinstance(letter, InvoiceLetter) else "credit_note"


def _number(session: Session, member: Member, letter: Letter) -> str:
    if isinstance(letter, InvoiceLetter):
        return find(session, member, Invoice, letter.invoice_id, "invoice").number
    return find(session, member, CreditNote, letter.credit_note_id, "credit note").number
