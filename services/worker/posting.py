"""Sending invoices by e-mail, each once: begun before it goes out, and never begun twice by itself."""

import logging

from services import mail
from services.accounts.scope import Member
from services.billing import letters
from services.billing import service as billing
from services.billing.profiles import profile
from services.billing.snapshot import Snapshot
from services.billing.tables import Invoice
from services.db import reading, transaction
from services.documents.letter import letter
from services.errors import ServiceError

log = logging.getLogger(__name__)

NO_ADDRESS = "The workspace has no e-mail address under Billing address."


def send_invoices(member: Member) -> int:
    """Send the invoices of a workspace that wait for it; gives how many went out."""
    if not mail.is_set_up():
        return 0
    with reading() as session:
        to, waiting = profile(session, member).email, letters.due(session, member)
    return sum(_sent(member, invoice_id, to) for invoice_id in waiting)


def _sent(member: Member, invoice_id: str, to: str) -> bool:
    with reading() as session:
        invoice = billing.invoice(session, member, number_or_id=invoice_id)
    with transaction() as session:
        if not letters.begin(session, member, invoice_id=invoice_id):
            return False
    failure = _tried(invoice, to) if to else NO_ADDRESS
    with transaction() as session:
        letters.end(session, member, invoice_id=invoice_id, failure=failure)
    return failure is None


def _tried(invoice: Invoice, to: str) -> str | None:
    """Why a letter did not go out; None where it did."""
    try:
        made = letter(Snapshot.from_json(invoice.snapshot))
    except Exception:
        # One invoice that cannot be made must not keep back the others.
        log.exception("the letter with invoice %s cannot be made", invoice.number)
        return "The letter cannot be made, which is a fault of the program; its log says more."
    try:
        mail.send(
            to=[to],
            subject=made.subject,
            text=made.text,
            attachments=[(made.attachment.name, made.attachment.media_type, made.attachment.content)],
            message_id=invoice.id,
        )
    except ServiceError as error:
        log.warning("invoice %s was not sent: %s", invoice.number, error.message)
        return error.message
    return None
