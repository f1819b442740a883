"""An invoice as a file: PDF, electronic invoice, CSV, JSON, and the bundle that proves it."""

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.api.deps import BillingCaller
from services.billing import service as billing
from services.billing.snapshot import Snapshot
from services.db import reading
from services.documents.files import Kind, document, name_of
from services.proof import service as proof
from services.proof.fault import Wrong

router = APIRouter(prefix="/v1/invoices", tags=["invoices"])

Reference = Annotated[str, Path(description="An invoice's number or id, or a month such as 2026-11.")]
_CHUNK = 1 << 16


class FaultFound(BaseModel):
    """One thing that is wrong; `place` is a record, block, line or sum."""

    wrong: Wrong
    place: str
    sentence: str


class Verdict(BaseModel):
    """What a check of an invoice found, the first fault first."""

    object: Literal["verdict"] = "verdict"
    right: bool
    number: str
    head: str
    blocks: int
    events: int
    lines: int
    faults: list[FaultFound]


def _file(reference: str, caller: BillingCaller, kind: Kind) -> Response:
    with reading() as db:
        shown = billing.statement(db, caller, reference=reference)
    return as_response(shown, kind)


def as_response(shown: Snapshot, kind: Kind) -> Response:
    """A document of an invoice or a credit note as the answer to a request."""
    made = document(shown, kind)
    return Response(
        made.content,
        media_type=made.media_type,
        headers={"Content-Disposition": f'attachment; filename="{made.name}"'},
    )


@router.get("/{reference}.pdf", summary="One invoice as PDF", response_class=Response)
def pdf(reference: Reference, caller: BillingCaller) -> Response:
    """PDF/A-3b in the workspace's language; a finalised one carries its electronic invoice."""
    return _file(reference, caller, Kind.pdf)


@router.get("/{reference}.ubl.xml", summary="One invoice as UBL 2.1", response_class=Response)
def ubl(reference: Reference, caller: BillingCaller) -> Response:
    """The electronic invoice of EN 16931 in the syntax UBL 2.1."""
    return _file(reference, caller, Kind.ubl)


@router.get("/{reference}.xml", summary="One invoice as Factur-X", response_class=Response)
def xml(reference: Reference, caller: BillingCaller) -> Response:
    """The electronic invoice of EN 16931 in the syntax CII, as its PDF carries it."""
    return _file(reference, caller, Kind.xml)


@router.get("/{reference}.csv", summary="One invoice as CSV", response_class=Response)
def csv(reference: Reference, caller: BillingCaller) -> Response:
    """Rows in the columns of FOCUS 1.2; BilledCost adds up to what is to be paid."""
    return _file(reference, caller, Kind.csv)


@router.get("/{reference}.json", summary="One invoice as JSON", response_class=Response)
def json(reference: Reference, caller: BillingCaller) -> Response:
    """The snapshot: seller, customer, prices, lines and sums as they were fixed."""
    return _file(reference, caller, Kind.json)


@router.get("/{reference}.zip", summary="The bundle of one invoice", response_class=Response)
def bundle(reference: Reference, caller: BillingCaller) -> Response:
    """All that the invoice stands on, for `tuneport invoice verify`."""
    file = TemporaryFile()  # noqa: SIM115
    try:
        with reading() as db:
            proof.export(db, caller, reference=reference, into=file)
            name = name_of(billing.statement(db, caller, reference=reference))
    except BaseException:
        file.close()
        raise
    file.seek(0)

    def content() -> Iterator[bytes]:
        with file:
            while chunk := file.read(_CHUNK):
                yield chunk

    return StreamingResponse(
        content(),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}.zip"'},
    )


@router.get("/{reference}/verdict", summary="Check one invoice")
def verdict(reference: Reference, caller: BillingCaller) -> Verdict:
    """Rate every line anew from its events, and check every seal; the bundle lets anybody do the same."""
    with reading() as db:
        found = proof.check(db, caller, reference=reference)
    return Verdict(
        right=found.is_right,
        number=found.number,
        head=found.head,
        blocks=found.blocks,
        events=found.events,
        lines=found.lines,
        faults=[
            FaultFound(wrong=fault.wrong, place=fault.place, sentence=fault.sentence)
            for fault in found.faults
        ],
    )
