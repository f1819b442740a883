"""Credit notes as they are kept and shown: what was taken back of an invoice, and by which document."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlmodel import Session, col

from services.accounts.scope import Member, Role, owned
from services.billing.invoicing import Charge, ChargeKind, Draft, TaxGroup
from services.billing.money import Money, total
from services.billing.snapshot import Language, Party, Snapshot
from services.billing.tables import CreditNote, Invoice
from services.errors import NotFound


class Note(BaseModel):
    """A credit note as a value; all its amounts are those that come back, above zero."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    number: str
    invoice: str
    issued_on: date
    reason: str
    seller: Party
    customer: Party
    language: Language
    currency: str
    tax_groups: tuple[TaxGroup, ...]
    net: Money
    tax: Money
    total: Money

    def to_json(self) -> dict[str, Any]:
        """What a JSON column keeps."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Note":
        """The value that `to_json` was called on."""
        return cls.model_validate_json(json.dumps(kept))


def notes_of(session: Session, member: Member, invoice: Invoice) -> list[Note]:
    """What was taken back of an invoice so far, oldest first."""
    rows = owned(CreditNote, member).where(CreditNote.invoice_id == invoice.id)
    return [Note.from_json(row.snapshot) for row in session.exec(rows.order_by(col(CreditNote.number)))]


def credit_notes(session: Session, member: Member) -> list[CreditNote]:
    """Every credit note of the workspace, newest first."""
    member.require(Role.billing)
    return list(session.exec(owned(CreditNote, member).order_by(col(CreditNote.issued_at).desc())))


def credit_note(session: Session, member: Member, *, number_or_id: str) -> Snapshot:
    """A credit note as documents show it.

    Raises:
        NotFound: there is none under this number or id in this workspace.
    """
    member.require(Role.billing)
    either = (col(CreditNote.number) == number_or_id) | (col(CreditNote.id) == number_or_id)
    row = session.exec(owned(CreditNote, member).where(either)).one_or_none()
    if row is None:
        raise NotFound("credit note")
    invoice = session.exec(owned(Invoice, member).where(Invoice.id == row.invoice_id)).one()
    return shown(Note.from_json(row.snapshot), Snapshot.from_json(invoice.snapshot))


def shown(note: Note, issued: Snapshot) -> Snapshot:
    """A note on the invoice that was `issued`, in the form of an invoice. Pure, of what never changes.

    Its amounts are above zero, as a credit note states them, with a row for each rate of tax.
    """
    nothing = Money.zero(note.currency)
    charges = tuple(
        Charge(
            key=f"{note.number}:{place}",
            kind=ChargeKind.correction,
            title=note.reason,
            first_day=issued.first_day,
            last_day=issued.last_day,
            corrects=note.invoice,
            tax_code=group.codes[0],
            amount=group.net,
        )
        for place, group in enumerate(note.tax_groups, 1)
    )
    figures = Draft(
        plan=issued.draft.plan,
        currency=note.currency,
        lines=(),
        charges=charges,
        tax_groups=note.tax_groups,
        subtotal=total((charge.amount for charge in charges), note.currency),
        discount=nothing,
        credit=nothing,
        net=note.net,
        tax=note.tax,
        total=note.total,
        prepaid=nothing,
        payable=note.total,
    )
    return issued.model_copy(
        update={
            "number": note.number,
            "issued_on": note.issued_on,
            "due_on": None,
            "seller": note.seller,
            "customer": note.customer,
            "language": note.language,
            "payment": "",
            "corrects": note.invoice,
            "ledger": None,
            "draft": figures,
        }
    )
