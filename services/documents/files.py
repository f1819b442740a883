"""Every file that an invoice can be had as: its name, its type and its content."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from services.billing.snapshot import Snapshot
from services.documents import cii, focus, pdf, semantic, ubl
from services.metering.cloudevents import canonical


class Kind(StrEnum):
    """What a file is for."""

    pdf = "pdf"  # people; it carries the electronic invoice
    xml = "xml"  # accounting: CII, as in Factur-X
    ubl = "ubl.xml"  # accounting: UBL 2.1
    csv = "csv"  # finance tools: FOCUS
    json = "json"  # programs: all figures, prices and sums


@dataclass(frozen=True, slots=True)
class Document:
    """A file, ready to be sent."""

    name: str
    media_type: str
    content: bytes


_MADE: dict[Kind, tuple[str, Callable[[Snapshot], bytes]]] = {
    Kind.pdf: ("application/pdf", pdf.pdf),
    Kind.xml: ("application/xml", lambda snapshot: cii.xml(semantic.of(snapshot))),
    Kind.ubl: ("application/xml", lambda snapshot: ubl.xml(semantic.of(snapshot))),
    Kind.csv: ("text/csv; charset=utf-8", focus.csv_of),
    Kind.json: ("application/json", lambda snapshot: canonical(snapshot.to_json())),
}


def name_of(snapshot: Snapshot) -> str:
    """What its files are called, without their endings."""
    return snapshot.number or f"draft-{snapshot.first_day:%Y-%m}"


def document(snapshot: Snapshot, kind: Kind) -> Document:
    """An invoice as a file; the same invoice gives the same bytes.

    Raises:
        NoElectronicInvoice: it lacks what an electronic invoice must have.
    """
    media_type, made = _MADE[kind]
    return Document(f"{name_of(snapshot)}.{kind}", media_type, made(snapshot))
