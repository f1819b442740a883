"""The e-mail that an invoice or a credit note comes with, in the language of the invoice."""

from dataclasses import dataclass

from services.billing.snapshot import Snapshot
from services.config import settings
from services.documents.files import Document, Kind, document
from services.documents.words import CREDITED, words_of


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent: the same invoice gives the same letter."""

    subject: str
    text: str
    attachment: Document


ATTACHED = "The invoice {number} for {period} is attached."
TO_PAY = "{amount} {currency} is to be paid by {due}."
NOTE_ATTACHED = "The credit note {number} on the invoice {invoice} is attached: {amount} {currency} with tax."
LOOK = "Line by line, down to single events: {link}"


def letter(snapshot: Snapshot) -> Letter:
    """The letter with a finalised invoice or a credit note, its PDF attached."""
    words, draft = words_of(snapshot.language), snapshot.draft
    assert snapshot.number is not None
    number, period = snapshot.number, words.days(snapshot.first_day, snapshot.last_day)
    if snapshot.corrects:
        told = words.say(
            NOTE_ATTACHED,
            number=number,
            invoice=snapshot.corrects,
            amount=words.amount(draft.total),
            currency=draft.currency,
        )
        return _letter(snapshot, "Credit note", snapshot.corrects, [told, words.of(CREDITED)])
    owed = words.of("Nothing is due.")
    if draft.payable.micros and snapshot.due_on:
        owed = words.say(
            TO_PAY,
            amount=words.amount(draft.payable),
            currency=draft.currency,
            due=words.day(snapshot.due_on),
        )
    paragraphs = [
        words.say(ATTACHED, number=number, period=period),
        f"{owed} {snapshot.payment}".strip() if draft.payable.micros else owed,
    ]
    return _letter(snapshot, "Invoice", number, paragraphs)


def _letter(snapshot: Snapshot, noun: str, invoice: str, paragraphs: list[str]) -> Letter:
    words = words_of(snapshot.language)
    link = f"{settings().portal_url.rstrip('/')}/invoice?invoice={invoice}"
    text = "\n\n".join([*paragraphs, words.say(LOOK, link=link), snapshot.seller.name])
    return Letter(
        subject=f"{words.of(noun)} {snapshot.number}, {snapshot.seller.name}",
        text=f"{text}\n",
        attachment=document(snapshot, Kind.pdf),
    )
