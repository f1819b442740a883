"""The bytes of files that come in parts: stored as they arrive, and joined when all are here.

What has arrived before a connection breaks is kept, so that its sender goes on from there.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from anyio import CancelScope, to_thread

from services import storage
from services.accounts.scope import Member
from services.datasets import uploading
from services.datasets.errors import UploadDamaged, UploadIncomplete
from services.datasets.files import FIRST_BYTES, kept, look_at
from services.datasets.limits import PART_BYTES
from services.datasets.tables import Upload, UploadPart
from services.db import reading, transaction
from services.errors import ServiceError


async def receive(member: Member, session_id: str, *, start: int, chunks: AsyncIterator[bytes]) -> int:
    """Keep what comes of a file from byte `start` on; gives how far it has come.

    Raises:
        RoleMissing, NotFound, UploadEnded, UploadMovedOn: nothing may be added there.
        UploadIncomplete: more comes than was announced; what fits is kept.
        Whatever `chunks` raises when the connection breaks; what came before is kept.
    """
    announced = await to_thread.run_sync(_announced, member, session_id, start)
    at, waiting = start, bytearray()
    try:
        async for chunk in chunks:
            if at + len(waiting) + len(chunk) > announced:
                raise UploadIncomplete(announced, at + len(waiting) + len(chunk))
            waiting += chunk
            while len(waiting) >= PART_BYTES:
                at = await to_thread.run_sync(_keep, member, session_id, bytes(waiting[:PART_BYTES]), at)
                del waiting[:PART_BYTES]
    finally:
        if waiting:
            # Also where this task is being cancelled because nobody listens any more.
            with CancelScope(shield=True):
                at = await to_thread.run_sync(_keep, member, session_id, bytes(waiting), at)
    return at


def keep_part(member: Member, session_id: str, content: bytes) -> UploadPart:
    """Keep a part whose place is told at the end.

    Raises:
        RoleMissing, NotFound, UploadEnded, UploadIncomplete: as `uploading.add_part` says.
    """
    with reading() as db:
        uploading.require_open(db, member, session_id=session_id)
    part = uploading.new_part(member, session_id=session_id, size=len(content), start=None)
    return _store(member, part, content)


def complete(
    member: Member,
    session_id: str,
    *,
    part_ids: Sequence[str] | None = None,
    sha256: str | None = None,
    md5: str | None = None,
) -> Upload:
    """Make one file of the parts, in the order of `part_ids` or of their places, and check its sums if given.

    Raises:
        RoleMissing, NotFound, UploadEnded, UploadIncomplete: as `uploading.in_order` says.
        UploadDamaged: the sum is another.
        EmptyFile, BinaryFile, UnsupportedFormat: it is no kind of file that is read.
    """
    with reading() as db:
        session, parts = uploading.in_order(db, member, session_id=session_id, part_ids=part_ids)
    look_at(storage.get(parts[0].storage_key)[:FIRST_BYTES], session.bytes)
    with kept(member, filename=session.filename, size=session.bytes, purpose=session.purpose) as upload:
        digests = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        storage.join((part.storage_key for part in parts), upload.storage_key, *digests)
        found = [digest.hexdigest() for digest in digests]
        if any(wanted and wanted.lower() != sum_ for wanted, sum_ in zip((sha256, md5), found, strict=True)):
            raise UploadDamaged
        upload.sha256 = found[0]
        with transaction() as db:
            made = uploading.complete(db, member, session_id=session_id, stored=upload)
    storage.delete(uploading.prefix_of(member.tenant_id, session_id))
    return made


def _announced(member: Member, session_id: str, start: int) -> int:
    with reading() as db:
        return uploading.require_open(db, member, session_id=session_id, start=start).bytes


def _keep(member: Member, session_id: str, content: bytes, start: int) -> int:
    part = uploading.new_part(member, session_id=session_id, size=len(content), start=start)
    return start + _store(member, part, content).bytes


def _store(member: Member, part: UploadPart, content: bytes) -> UploadPart:
    storage.put(part.storage_key, content)
    try:
        with transaction() as db:
            return uploading.add_part(db, member, stored=part)
    except BaseException:
        with suppress(ServiceError, OSError):
            storage.delete(part.storage_key)
        raise
