"""Files that people bring, in parts from the browser, which go on after a broken connection.

Like a download, it takes a link that is tied to the browser it was made for, that browser to be signed in,
and its person to be in the workspace. Streamlit's own uploader would keep each file whole in the portal's
memory.

    POST   /upload?link=            {"filename", "bytes", "fingerprint"} -> {"id", "offset"}
    HEAD   /upload/{id}?link=       -> Upload-Offset
    PATCH  /upload/{id}?link=       Upload-Offset, and the bytes from there on -> Upload-Offset
    POST   /upload/{id}?link=       all of it is here -> {"upload"}
    DELETE /upload/{id}?link=       give it up
"""

from datetime import timedelta

from anyio import to_thread
from itsdangerous import BadData, URLSafeSerializer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from portal import session
from portal.downloads import browser_of, member_of
from portal.guard import SIGN_IN_HEADER
from services import clock, storage
from services.accounts import secrets
from services.accounts.scope import Member
from services.datasets import receiving, uploading
from services.db import reading, transaction
from services.errors import Invalid, NotFound, ServiceError

# A page that was left open over night still uploads, if its person is still signed in.
LINK_LIFE = timedelta(hours=24)
OFFSET = "Upload-Offset"
_NO_STORE = {"Cache-Control": "no-store"}


class Announced(BaseModel):
    """The file that is to come; `fingerprint` is by what the browser knows it again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    filename: str = Field(min_length=1, max_length=1_000)
    bytes: int
    fingerprint: str | None = Field(None, max_length=1_200)


def link_query() -> str:
    """What this browser puts behind an address to send files to the chosen workspace."""
    return signed_query(tenant_id=session.member().tenant_id, secret=session.token())


def signed_query(*, tenant_id: str, secret: str) -> str:
    """The same for a browser whose sign-in has this secret."""
    # The same for an hour, so that a page that runs again is not another page to its parts.
    until = (int(clock.now().timestamp()) // 3600 + 1) * 3600 + int(LINK_LIFE.total_seconds())
    return f"?link={_serializer().dumps([tenant_id, browser_of(secret), until])}"


async def upload(request: Request) -> Response:
    """The routes `/upload` and `/upload/{session_id}`."""
    try:
        member = await to_thread.run_sync(_member, request)
        return await _answer(request, member)
    except BadData:
        return _refused(NotFound("upload"))
    except ServiceError as error:
        return _refused(error)
    except ClientDisconnect:
        return Response(status_code=499)  # nobody reads it


async def _answer(request: Request, member: Member) -> Response:
    session_id = request.path_params.get("session_id")
    if session_id is None:
        try:
            announced = Announced.model_validate_json(await _small_body(request))
        except ValidationError as error:
            raise Invalid("This is no announcement of a file. Load the page again.") from error
        return JSONResponse(await to_thread.run_sync(_begin, member, announced), headers=_NO_STORE)
    match request.method:
        case "PATCH":
            start = request.headers.get(OFFSET, "")
            if not start.isdecimal():
                raise Invalid("The offset is missing. Load the page again.")
            offset = await receiving.receive(member, session_id, start=int(start), chunks=request.stream())
            return Response(status_code=204, headers=_NO_STORE | {OFFSET: str(offset)})
        case "POST":
            made = await to_thread.run_sync(receiving.complete, member, session_id)
            return JSONResponse({"upload": made.id}, headers=_NO_STORE)
        case "DELETE":
            await to_thread.run_sync(_cancel, member, session_id)
            return Response(status_code=204, headers=_NO_STORE)
    offset = await to_thread.run_sync(_offset, member, session_id)
    return Response(headers=_NO_STORE | {OFFSET: str(offset)})


async def _small_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > 2**14:
            raise Invalid("This is no announcement of a file. Load the page again.")
    return bytes(body)


def _member(request: Request) -> Member:
    secret = request.headers.get(SIGN_IN_HEADER, "")
    tenant_id, browser, until = _serializer().loads(request.query_params.get("link", ""))
    if browser != browser_of(secret) or clock.now().timestamp() >= until:
        raise NotFound("upload")
    return member_of(secret, tenant_id)


def _begin(member: Member, announced: Announced) -> dict[str, str | int]:
    with transaction() as db:
        begun = uploading.begin(
            db,
            member,
            filename=announced.filename,
            size=announced.bytes,
            fingerprint=announced.fingerprint,
        )
        return {"id": begun.id, "offset": uploading.offset(db, member, session_id=begun.id)}


def _offset(member: Member, session_id: str) -> int:
    with reading() as db:
        return uploading.offset(db, member, session_id=session_id)


def _cancel(member: Member, session_id: str) -> None:
    with transaction() as db:
        uploading.cancel(db, member, session_id=session_id)
    storage.delete(uploading.prefix_of(member.tenant_id, session_id))


def _refused(error: ServiceError) -> Response:
    return JSONResponse({"message": error.message, "code": error.code}, error.status, headers=_NO_STORE)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(secrets.digest("upload links"))
