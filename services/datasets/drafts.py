"""A file between upload and version: how it is to be read, and what is done about its findings.

Nothing here looks at rows: fixes are replayed from the file whenever it is examined or frozen, so that each
can be undone by itself.
"""

from sqlmodel import Session

from services import clock
from services.accounts.scope import Member, Role, owned
from services.datasets import service as datasets
from services.datasets.examination import FIXES
from services.datasets.fixes import Fix
from services.datasets.formats import Format
from services.datasets.tables import Draft, Upload
from services.errors import Conflict

MAX_FIXES = 200


class TooManyFixes(Conflict):
    """More was done to a file than can be replayed in good time."""

    code = "too_many_fixes"

    def __init__(self) -> None:
        super().__init__(
            f"This file has {MAX_FIXES} fixes, which is as many as can be kept. "
            "Make a version of it, or undo some."
        )


class FixGone(Conflict):
    """Somebody undid it already."""

    code = "fix_gone"

    def __init__(self) -> None:
        super().__init__("This fix is not there any more. Load the page again to see what is.")


class FileGone(Conflict):
    """A version cannot be opened again without its file."""

    code = "file_gone"

    def __init__(self) -> None:
        super().__init__(
            "The file that this version was made from was deleted, so it cannot be changed any more. "
            "Upload the file again to make a new version of it."
        )


def find(session: Session, member: Member, *, upload_id: str) -> Draft:
    """The draft of a file; a fresh one, not yet recorded, where nobody has changed anything.

    Raises:
        NotFound: no such file in this workspace.
    """
    upload = datasets.get_upload(session, member, upload_id=upload_id)
    return _recorded(session, member, upload.id) or Draft(tenant_id=member.tenant_id, upload_id=upload.id)


def format_of(draft: Draft) -> Format | None:
    """How the file is to be read; None where our guess stands."""
    return None if draft.format is None else Format.model_validate(draft.format)


def fixes_of(draft: Draft) -> list[Fix]:
    """What is done to the rows, in order."""
    return FIXES.validate_python(draft.fixes)


def read_as(session: Session, member: Member, *, upload_id: str, form: Format) -> Draft:
    """Read the file another way. Fixes name rows and labels as they were read, so they go.

    Raises:
        NotFound: no such file in this workspace.
    """
    draft = _locked(session, member, upload_id)
    chosen = form.model_dump(mode="json")
    if draft.format != chosen:
        draft.format, draft.fixes = chosen, []
    return _kept(session, member, draft)


def add_fix(session: Session, member: Member, *, upload_id: str, fix: Fix) -> Draft:
    """Do one thing more about the findings.

    Raises:
        NotFound: no such file in this workspace.
        TooManyFixes: over the limit.
    """
    draft = _locked(session, member, upload_id)
    if len(draft.fixes) >= MAX_FIXES:
        raise TooManyFixes
    draft.fixes = [*draft.fixes, fix.model_dump(mode="json")]
    return _kept(session, member, draft)


def undo(session: Session, member: Member, *, upload_id: str, position: int) -> Draft:
    """Leave out the fix at a position, from 0; those after it are done as if it had never been.

    Raises:
        NotFound: no such file in this workspace.
        FixGone: there is none at this position.
    """
    draft = _locked(session, member, upload_id)
    if not 0 <= position < len(draft.fixes):
        raise FixGone
    draft.fixes = [fix for at, fix in enumerate(draft.fixes) if at != position]
    return _kept(session, member, draft)


def from_version(session: Session, member: Member, *, version_id: str) -> Draft:
    """Open a frozen version again: its file, read as it was, with all that was done to it.

    Raises:
        NotFound: no such version in this workspace.
        FileGone: the file that it was made from was deleted.
    """
    version = datasets.get_version(session, member, version_id=version_id)
    known = [upload.id for upload in datasets.uploads(session, member)]
    if version.upload_id not in known:
        raise FileGone
    draft = _locked(session, member, version.upload_id)
    draft.format = version.format
    draft.fixes = [change["fix"] for change in version.changes]
    return _kept(session, member, draft)


def _locked(session: Session, member: Member, upload_id: str) -> Draft:
    """The draft, while its file's row is held: of two who change it at once, one comes after the other."""
    member.require(Role.editor)
    held = owned(Upload, member).where(Upload.id == upload_id).with_for_update()
    session.exec(held).one_or_none()
    return find(session, member, upload_id=upload_id)


def _recorded(session: Session, member: Member, upload_id: str) -> Draft | None:
    known = owned(Draft, member).where(Draft.upload_id == upload_id)
    return session.exec(known.execution_options(populate_existing=True)).one_or_none()


def _kept(session: Session, member: Member, draft: Draft) -> Draft:
    draft.updated_by, draft.updated_at = member.user_id or member.key_id, clock.now()
    session.add(draft)
    session.flush()
    return draft
