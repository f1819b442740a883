"""Files that come in parts, as the `openai` client sends them, or from an offset on."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect

from services import clock, storage
from services.accounts.scope import Member
from services.api.deps import Caller
from services.api.files import PURPOSE, File, shown
from services.api.refusals import BadRequest
from services.api.shapes import Text, unix
from services.api.threads import whole_files
from services.datasets import receiving, uploading
from services.datasets import service as datasets
from services.datasets.limits import MAX_PARTS
from services.datasets.tables import UploadPart, UploadSession, UploadState
from services.db import reading, transaction

router = APIRouter(prefix="/v1/uploads", tags=["files"])

OFFSET = "Upload-Offset"


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewUpload(_Request):
    """A file that is announced.

    With the `fingerprint` of a file that is under way in the workspace, such as its sha256, the answer is the
    upload that there is, and its `offset` says where to go on.
    """

    filename: Text = Field(min_length=1, max_length=1_000)
    bytes: int
    purpose: Literal["fine-tune"] = PURPOSE
    mime_type: Text | None = None
    fingerprint: Text | None = Field(None, max_length=200)


class Completion(_Request):
    """That all of a file is here: the order of its parts, where they came without an offset, and its sums."""

    part_ids: list[Text] | None = Field(None, max_length=MAX_PARTS)
    md5: Text | None = None
    sha256: Text | None = None


class Upload(BaseModel):
    """A file on its way; `offset` is where its next part begins, of parts that come with one."""

    id: str
    object: Literal["upload"] = "upload"
    bytes: int
    created_at: int
    expires_at: int
    filename: str
    purpose: str
    status: Literal["pending", "completed", "cancelled", "expired"]
    file: File | None = None
    offset: int


class Part(BaseModel):
    """Some bytes of a file."""

    id: str
    object: Literal["upload.part"] = "upload.part"
    created_at: int
    upload_id: str


@router.post("", summary="Begin an upload in parts")
def create(request: NewUpload, caller: Caller) -> Upload:
    """Announce a file that comes in parts, each of up to 64 MB; they wait for the next for 24 hours."""
    with transaction() as db:
        begun = uploading.begin(
            db,
            caller,
            filename=request.filename,
            size=request.bytes,
            purpose=request.purpose,
            fingerprint=request.fingerprint,
        )
        session_id = begun.id
    return _upload(caller, session_id)


@router.get("/{upload_id}", summary="One upload in parts")
def retrieve(upload_id: str, caller: Caller) -> Upload:
    """How far an upload has come."""
    return _upload(caller, upload_id)


@router.head("/{upload_id}", summary="Where an upload stands", response_class=Response)
def stands(upload_id: str, caller: Caller) -> Response:
    """The offset at which to go on, in the header `Upload-Offset`."""
    with reading() as db:
        offset = uploading.offset(db, caller, session_id=upload_id)
    return Response(headers={OFFSET: str(offset)})


@router.patch("/{upload_id}", summary="Add bytes to an upload", status_code=204, response_class=Response)
async def go_on(
    upload_id: str, request: Request, caller: Caller, upload_offset: Annotated[int, Header(ge=0)]
) -> Response:
    """The body is what comes from `Upload-Offset` on. What has arrived when the connection breaks is kept."""
    try:
        offset = await receiving.receive(caller, upload_id, start=upload_offset, chunks=request.stream())
    except ClientDisconnect:
        return Response(status_code=499)  # nobody reads it
    return Response(status_code=204, headers={OFFSET: str(offset)})


@router.post("/{upload_id}/parts", summary="Add a part")
async def add_part(upload_id: str, request: Request, caller: Caller) -> Part:
    """A part whose place is told when the upload is completed; parts may come at once, in any order."""
    async with request.form(max_files=1, max_fields=2, max_part_size=2**12) as form:
        data = form.get("data")
        if not isinstance(data, UploadFile):
            raise BadRequest(
                "The field “data” is missing. Send the part as multipart/form-data under this name.",
                param="data",
            )
        return await whole_files.run(lambda: _part(receiving.keep_part(caller, upload_id, data.file.read())))


@router.post("/{upload_id}/complete", summary="Complete an upload")
async def complete(upload_id: str, request: Completion, caller: Caller) -> Upload:
    """Make a file of the parts; sums that are given are checked."""
    return await whole_files.run(lambda: _complete(caller, upload_id, request))


@router.post("/{upload_id}/cancel", summary="Give an upload up")
def cancel(upload_id: str, caller: Caller) -> Upload:
    """Forget the parts that are here."""
    with transaction() as db:
        uploading.cancel(db, caller, session_id=upload_id)
    given_up = _upload(caller, upload_id)
    storage.delete(uploading.prefix_of(caller.tenant_id, upload_id))
    return given_up


def _complete(caller: Member, upload_id: str, request: Completion) -> Upload:
    receiving.complete(caller, upload_id, part_ids=request.part_ids, sha256=request.sha256, md5=request.md5)
    return _upload(caller, upload_id)


def _upload(caller: Member, upload_id: str) -> Upload:
    with reading() as db:
        found = uploading.get(db, caller, session_id=upload_id)
        offset = uploading.offset(db, caller, session_id=upload_id)
        file = datasets.get_upload(db, caller, upload_id=found.upload_id) if found.upload_id else None
    return Upload(
        id=found.id,
        bytes=found.bytes,
        created_at=unix(found.created_at),
        expires_at=unix(found.expires_at),
        filename=found.filename,
        purpose=found.purpose,
        status=_status(found),
        file=shown(file) if file else None,
        offset=offset,
    )


def _status(found: UploadSession) -> Literal["pending", "completed", "cancelled", "expired"]:
    if found.state is UploadState.pending and found.expires_at <= clock.now():
        return "expired"
    return found.state.value


def _part(stored: UploadPart) -> Part:
    return Part(id=stored.id, created_at=unix(stored.created_at), upload_id=stored.session_id)
