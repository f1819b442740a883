"""Credit notes: what was taken back of invoices, and the documents that say so."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from services.api.deps import BillingCaller
from services.api.invoice_files import as_response
from services.billing import notes
from services.billing.notes import Note
from services.db import reading
from services.documents.files import Kind

router = APIRouter(prefix="/v1/credit_notes", tags=["invoices"])

Number = Annotated[str, Path(description="A credit note's number or id.")]


class CreditNote(BaseModel):
    """Amounts are above zero, in integer micro-units of `currency`; `left` still pays later invoices."""

    id: str
    object: Literal["credit_note"] = "credit_note"
    invoice: str
    issued_on: date
    reason: str
    currency: str
    net: int
    tax: int
    total: int
    left: int


class CreditNotes(BaseModel):
    """Newest first."""

    object: Literal["list"] = "list"
    data: list[CreditNote]
    has_more: Literal[False] = False


@router.get("", summary="List the credit notes")
def list_credit_notes(caller: BillingCaller) -> CreditNotes:
    """What was taken back, and of which invoices."""
    with reading() as db:
        kept = [(Note.from_json(row.snapshot), row.left) for row in notes.credit_notes(db, caller)]
    return CreditNotes(
        data=[
            CreditNote(
                id=note.number,
                invoice=note.invoice,
                issued_on=note.issued_on,
                reason=note.reason,
                currency=note.currency,
                net=note.net.micros,
                tax=note.tax.micros,
                total=note.total.micros,
                left=left,
            )
            for note, left in kept
        ]
    )


def _file(number: str, caller: BillingCaller, kind: Kind) -> Response:
    with reading() as db:
        shown = notes.credit_note(db, caller, number_or_id=number)
    return as_response(shown, kind)


@router.get("/{number}.pdf", summary="One credit note as PDF", response_class=Response)
def pdf(number: Number, caller: BillingCaller) -> Response:
    """PDF/A-3b in the language of its invoice, with the electronic credit note in it."""
    return _file(number, caller, Kind.pdf)


@router.get("/{number}.ubl.xml", summary="One credit note as UBL 2.1", response_class=Response)
def ubl(number: Number, caller: BillingCaller) -> Response:
    """The electronic credit note of EN 16931 in the syntax UBL 2.1."""
    return _file(number, caller, Kind.ubl)


@router.get("/{number}.xml", summary="One credit note as Factur-X", response_class=Response)
def xml(number: Number, caller: BillingCaller) -> Response:
    """The electronic credit note of EN 16931 in the syntax CII, as its PDF carries it."""
    return _file(number, caller, Kind.xml)


@router.get("/{number}.csv", summary="One credit note as CSV", response_class=Response)
def csv(number: Number, caller: BillingCaller) -> Response:
    """Rows in the columns of FOCUS 1.2, below zero."""
    return _file(number, caller, Kind.csv)


@router.get("/{number}.json", summary="One credit note as JSON", response_class=Response)
def json(number: Number, caller: BillingCaller) -> Response:
    """The snapshot: seller, customer and sums as they were fixed."""
    return _file(number, caller, Kind.json)
