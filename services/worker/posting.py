"""Sending invoices and credit notes by e-mail, each once: begun before it goes out, never again by itself."""

import logging

from sqlmodel import Session

from services import mail
from services.accounts.scope import Member
from services.billing import letters, notes
from services.billing import service as billing
from services.billing.profiles import profile
from services.billing.snapshot import Snapshot
from services.db import reading, transaction
from services.documents.letter import letter
from services.errors import NotFound, ServiceError

log = logging.getLogger(__name__)

NO_ADDRESS = "The workspace has no e-mail address under Billing address."


def send_documents(member: Member) -> int:
    """Send the invoices and credit notes of a workspace that wait for it; gives how many went out."""
    if not mail.is_set_up():
        return 0
    with reading() as session:
        to, waiting = profile(session, member).email, letters.due(session, member)
    return sum(_sent(member, document_id, to) for document_id in waiting)


def _sent(member: Member, document_id: str, to: str) -> bool:
    with reading() as session:
        shown = _shown(session, member, document_id)
    with transaction() as session:
        if not letters.begin(session, member, document_id=document_id):
            return False
    failure = _tried(shown, document_id, to) if to else NO_ADDRESS
    with transaction() as session:
        letters.end(session, member, document_id=document_id, failure=failure)
    return failure is None


def _shown(session: Session, member: Member, document_id: str) -> Snapshot:
    try:
        return billing.statement(session, member, reference=document_id)
    except NotFound:
        return notes.credit_note(session, member, number_or_id=document_id)


def _tried(shown: Snapshot, document_id: str, to: str) -> str | None:
    """Why a letter did not go out; None where it did."""
    try:
        made = letter(shown)
    except Exception:
        # One document that cannot be made must not keep back the others.
        log.exception("the letter with %s cannot be made", shown.number)
        return "The letter cannot be made, which is a fault of the program; its log says more."
    try:
        mail.send(
            to=[to],
            subject=made.subject,
            text=made.text,
            attachments=[(made.attachment.name, made.attachment.media_type, made.attachment.content)],
            message_id=document_id,
        )
    except ServiceError as error:
        log.warning("%s was not sent: %s", shown.number, error.message)
        return error.message
    return None
