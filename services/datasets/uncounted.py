"""Versions whose tokens nobody has counted: from before they were, or without the tokenizer at hand."""

from sqlmodel import Session, col

from services.accounts.scope import Member, across, find
from services.datasets.tables import DatasetVersion

_AT_ONCE = 20


def waiting(session: Session) -> list[DatasetVersion]:
    """Some of them, of all workspaces, the newest first."""
    without = across(DatasetVersion).where(col(DatasetVersion.tokens).is_(None))
    return list(session.exec(without.order_by(col(DatasetVersion.id).desc()).limit(_AT_ONCE)))


def keep(session: Session, member: Member, *, version_id: str, tokens: dict[str, object]) -> None:
    """Keep what was counted.

    Raises:
        NotFound: the version was deleted meanwhile.
    """
    version = find(session, member, DatasetVersion, version_id, "data set version")
    version.tokens = tokens
    session.flush()
