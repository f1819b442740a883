"""The e-mail that an invoice comes with, in the language of the invoice."""

from dataclasses import dataclass

from services.billing.snapshot import Snapshot
from services.config import settings
from services.documents.files import Document, Kind, document
from services.documents.words import words_of


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent: the same invoice gives the same letter."""

    subject: str
    text: str
    attachment: Document


ATTACHED = "The invoice {number} for {period} is attached."
TO_PAY = "{amount} {currency} is to be paid by {due}."
LOOK = "Line by line, down to single events: {link}"


def letter(snapshot: Snapshot) -> Letter:
    """The letter with a finalised invoice, its PDF attached."""
    words, draft = words_of(snapshot.language), snapshot.draft
    assert snapshot.number is not None
    number, period = snapshot.number, words.days(snapshot.first_day, snapshot.last_day)
    owed = words.of("Nothing is due.")
    if draft.payable.micros and snapshot.due_on:
        owed = words.say(
            TO_PAY,
            amount=words.amount(draft.payable),
            currency=draft.currency,
            due=words.day(snapshot.due_on),
        )
    link = f"{settings().portal_url.rstrip('/')}/invoice?invoice={number}"
    paragraphs = [
        words.say(ATTACHED, number=number, period=period),
        f"{owed} {snapshot.payment}".strip() if draft.payable.micros else owed,
        words.say(LOOK, link=link),
        snapshot.seller.name,
    ]
    return Letter(
        subject=f"{words.of('Invoice')} {number}, {snapshot.seller.name}",
        text="\n\n".join(paragraphs) + "\n",
        attachment=document(snapshot, Kind.pdf),
    )
