"""Files that come in parts: begun, added to, completed or cancelled, and forgotten where nobody goes on.

Parts come either one after the other, each with the offset where it begins, or in any order, which is told at
the end. `receiving` keeps what they hold, and takes bytes from the network.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from services import clock, ids
from services.accounts import service as accounts
from services.accounts.scope import Member, Role, find, owned
from services.datasets import service as datasets
from services.datasets.errors import (
    EmptyFile,
    FileTooLarge,
    TooManyUploads,
    UploadEnded,
    UploadIncomplete,
    UploadMovedOn,
)
from services.datasets.files import shown_filename
from services.datasets.limits import MAX_BYTES, MAX_OPEN_UPLOADS, MAX_PARTS
from services.datasets.tables import Upload, UploadPart, UploadSession, UploadState
from services.errors import NotFound

# After its last part; a laptop may sleep over night.
LIFE = timedelta(hours=24)


def begin(
    session: Session,
    member: Member,
    *,
    filename: str,
    size: int,
    purpose: str = "fine-tune",
    fingerprint: str | None = None,
) -> UploadSession:
    """Announce a file of so many bytes; with the fingerprint of one that is under way, go on with that.

    Raises:
        RoleMissing: the member may not upload.
        EmptyFile, FileTooLarge: so many bytes are no file that is read.
        TooManyUploads: others are under way.
    """
    member.require(Role.editor)
    if size <= 0:
        raise EmptyFile
    if size > MAX_BYTES:
        raise FileTooLarge(size)
    accounts.lock_tenant(session, member)
    pending = owned(UploadSession, member).where(
        UploadSession.state == UploadState.pending, col(UploadSession.expires_at) > clock.now()
    )
    under_way = list(session.exec(pending).all())
    for known in under_way:
        if fingerprint is not None and (known.fingerprint, known.bytes) == (fingerprint, size):
            return known
    if len(under_way) >= MAX_OPEN_UPLOADS:
        raise TooManyUploads(MAX_OPEN_UPLOADS)
    begun = UploadSession(
        tenant_id=member.tenant_id,
        filename=shown_filename(filename),
        purpose=purpose,
        bytes=size,
        fingerprint=fingerprint,
        created_by=member.user_id or member.key_id,
        expires_at=clock.now() + LIFE,
    )
    session.add(begun)
    session.flush()
    return begun


def get(session: Session, member: Member, *, session_id: str) -> UploadSession:
    """One upload in parts.

    Raises:
        NotFound: no such upload in this workspace.
    """
    return find(session, member, UploadSession, session_id, "upload")


def parts(session: Session, member: Member, *, session_id: str) -> list[UploadPart]:
    """What is here of an upload, as it came.

    Raises:
        NotFound: no such upload in this workspace.
    """
    get(session, member, session_id=session_id)
    of_session = owned(UploadPart, member).where(UploadPart.session_id == session_id)
    return list(session.exec(of_session.order_by(col(UploadPart.id))).all())


def offset(session: Session, member: Member, *, session_id: str) -> int:
    """Where in the file the next part begins, of parts that come one after the other.

    Raises:
        NotFound: no such upload in this workspace.
    """
    return sum(part.bytes for part in parts(session, member, session_id=session_id) if part.start is not None)


def require_open(
    session: Session, member: Member, *, session_id: str, start: int | None = None
) -> UploadSession:
    """Go on only where a part may be added, at `start` where it is given.

    Raises:
        RoleMissing: the member may not upload.
        NotFound: no such upload in this workspace, or it has expired.
        UploadEnded: it is completed or cancelled.
        UploadMovedOn: it stands elsewhere.
    """
    member.require(Role.editor)
    found = get(session, member, session_id=session_id)
    if found.state is not UploadState.pending:
        raise UploadEnded(found.state)
    if found.expires_at <= clock.now():
        raise NotFound("upload")
    if start is not None and start != (stands := offset(session, member, session_id=session_id)):
        raise UploadMovedOn(stands)
    return found


def add_part(session: Session, member: Member, *, stored: UploadPart) -> UploadPart:
    """Record a part that `receiving` has stored.

    Raises:
        NotFound, UploadEnded, UploadMovedOn: as `require_open` says.
        UploadIncomplete: the file would be longer than announced.
    """
    found = require_open(session, member, session_id=stored.session_id, start=stored.start)
    known = parts(session, member, session_id=found.id)
    received = sum(part.bytes for part in known) + stored.bytes
    # What is sent again because an answer was lost is here twice.
    most = found.bytes * (2 if stored.start is None else 1)
    if received > most or len(known) >= MAX_PARTS:
        raise UploadIncomplete(found.bytes, received)
    try:
        with session.begin_nested():
            session.add(stored)
    except IntegrityError:
        raise UploadMovedOn(offset(session, member, session_id=found.id)) from None
    found.expires_at = clock.now() + LIFE
    session.flush()
    return stored


def in_order(
    session: Session, member: Member, *, session_id: str, part_ids: Sequence[str] | None = None
) -> tuple[UploadSession, list[UploadPart]]:
    """An upload whose parts are the file that was announced: those named, or those with an offset.

    Raises:
        RoleMissing, NotFound, UploadEnded: as `require_open` says; a part may be unknown as well.
        UploadIncomplete: they are less, or more.
    """
    found = require_open(session, member, session_id=session_id)
    known = {part.id: part for part in parts(session, member, session_id=session_id)}
    if part_ids is None:
        placed = [(part.start, part) for part in known.values() if part.start is not None]
        chosen = [part for _, part in sorted(placed, key=lambda item: item[0])]
    elif unknown := set(part_ids) - set(known):
        raise NotFound(f"part {min(unknown)}")
    else:
        chosen = [known[part_id] for part_id in part_ids]
    received = sum(part.bytes for part in chosen)
    if received != found.bytes:
        raise UploadIncomplete(found.bytes, received)
    return found, chosen


def complete(session: Session, member: Member, *, session_id: str, stored: Upload) -> Upload:
    """Record the file that the parts made; the parts are deleted after the transaction.

    Raises:
        RoleMissing, NotFound, UploadEnded: as `require_open` says.
    """
    accounts.lock_tenant(session, member)
    found = require_open(session, member, session_id=session_id)
    made = datasets.upload(session, member, stored=stored)
    found.state, found.upload_id = UploadState.completed, made.id
    session.flush()
    return made


def cancel(session: Session, member: Member, *, session_id: str) -> UploadSession:
    """Give an upload up; its parts are deleted after the transaction.

    Raises:
        RoleMissing, NotFound, UploadEnded: as `require_open` says.
    """
    found = require_open(session, member, session_id=session_id)
    found.state = UploadState.cancelled
    session.flush()
    return found


def prefix_of(tenant_id: str, session_id: str) -> str:
    """Where the parts of an upload lie."""
    return f"{tenant_id}/uploads/{session_id}"


def new_part(member: Member, *, session_id: str, size: int, start: int | None) -> UploadPart:
    """The row of a part that is about to be stored, under a key of its own."""
    part_id = ids.new("upload_part")
    return UploadPart(
        id=part_id,
        tenant_id=member.tenant_id,
        session_id=session_id,
        start=start,
        bytes=size,
        storage_key=f"{prefix_of(member.tenant_id, session_id)}/{part_id}",
    )
