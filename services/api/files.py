"""Files with labelled text, as the `openai` client sends and lists them."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from starlette.datastructures import FormData, UploadFile

from services import storage
from services.accounts.scope import Member
from services.api.deps import Caller
from services.api.limits import MAX_FILES_PAGE
from services.api.refusals import BadRequest
from services.api.shapes import Listing, unix
from services.api.threads import whole_files
from services.datasets import files as stored_files
from services.datasets import service as datasets
from services.datasets.tables import Upload
from services.db import reading, transaction

router = APIRouter(prefix="/v1/files", tags=["files"])

PURPOSE: Literal["fine-tune"] = "fine-tune"
_FIELDS = {"file", "purpose"}
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV, TSV, XLSX, JSON, JSONL, Parquet, CoNLL or fastText; "
                            "also gzipped, or alone in a zip archive.",
                        },
                        "purpose": {"type": "string", "enum": [PURPOSE]},
                    },
                }
            }
        },
    }
}


class File(BaseModel):
    """A file as it came."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"


class FileDeleted(BaseModel):
    """The file is gone; what was trained on it stays."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


@router.post("", summary="Upload a file", openapi_extra=_FORM)
async def create(request: Request, caller: Caller) -> File:
    """Store a file for fine-tuning; it is looked into when a job is made of it."""
    # Read here and not by FastAPI, which would take a stranger's file in before it asks who is calling.
    async with request.form(max_files=1, max_fields=8, max_part_size=2**12) as form:
        file = _checked(form)
        return await whole_files.run(lambda: _keep(caller, file))


def _checked(form: FormData) -> UploadFile:
    file, purpose = form.get("file"), form.get("purpose")
    if unknown := sorted(set(form) - _FIELDS):
        raise BadRequest(f"There is no field “{unknown[0]}” here. Leave it out.", param=unknown[0])
    if not isinstance(file, UploadFile):
        raise BadRequest(
            "The field “file” is missing. Send the file as multipart/form-data under this name.", param="file"
        )
    if purpose != PURPOSE:
        raise BadRequest(
            f"The field “purpose” must be “{PURPOSE}”: files serve nothing else.", param="purpose"
        )
    return file


def _keep(caller: Member, file: UploadFile) -> File:
    content = file.file.read()
    storing = stored_files.store(caller, filename=file.filename or "", content=content)
    with storing as stored, transaction() as db:
        return shown(datasets.upload(db, caller, stored=stored))


@router.get("", summary="List the files")
def list_files(
    caller: Caller,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_FILES_PAGE)] = MAX_FILES_PAGE,
    order: Literal["asc", "desc"] = "desc",
    purpose: str | None = None,
) -> Listing[File]:
    """Every file of the workspace, newest first."""
    with reading() as db:
        if after is not None:
            datasets.get_upload(db, caller, upload_id=after)
        found = datasets.uploads(db, caller)
    if order == "asc":
        found.reverse()
    found = [upload for upload in found if purpose in (None, upload.purpose)]
    if after is not None:
        # Ids grow with time, so that a file deleted meanwhile leaves no gap.
        found = [upload for upload in found if (upload.id < after if order == "desc" else upload.id > after)]
    return Listing(data=[shown(upload) for upload in found[:limit]], has_more=len(found) > limit)


@router.get("/{file_id}", summary="One file")
def retrieve(file_id: str, caller: Caller) -> File:
    """What is known of a file."""
    with reading() as db:
        return shown(datasets.get_upload(db, caller, upload_id=file_id))


@router.get("/{file_id}/content", summary="Download a file", response_class=Response)
def content(file_id: str, caller: Caller) -> Response:
    """The bytes exactly as they came."""
    with reading() as db:
        upload = datasets.get_upload(db, caller, upload_id=file_id)
    return Response(
        stored_files.read_upload(upload),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(upload.filename)}"},
    )


@router.delete("/{file_id}", summary="Delete a file")
def delete(file_id: str, caller: Caller) -> FileDeleted:
    """Forget a file; data sets and models made from it stay."""
    with transaction() as db:
        key = datasets.delete_upload(db, caller, upload_id=file_id)
    storage.delete(key)
    return FileDeleted(id=file_id)


def shown(upload: Upload) -> File:
    """A file as programs see it."""
    return File(
        id=upload.id,
        bytes=upload.bytes,
        created_at=unix(upload.created_at),
        filename=upload.filename,
        purpose=upload.purpose,
    )
