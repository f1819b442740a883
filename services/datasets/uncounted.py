"""Versions whose tokens nobody has counted: from before they were, or without the tokenizer at hand."""

from collections.abc import Collection

from sqlmodel import Session, col

from services.accounts.scope import Member, across, find
from services.datasets.tables import DatasetVersion
from services.training.recipe import Task

_AT_ONCE = 20


def waiting(session: Session, *, tasks: Collection[Task]) -> list[DatasetVersion]:
    """Some of them, of all workspaces and of some tasks, the newest first."""
    without = across(DatasetVersion).where(
        col(DatasetVersion.tokens).is_(None), col(DatasetVersion.task).in_(tasks)
    )
    return list(session.exec(without.order_by(col(DatasetVersion.id).desc()).limit(_AT_ONCE)))


def keep(session: Session, member: Member, *, version_id: str, tokens: dict[str, object]) -> None:
    """Keep what was counted.

    Raises:
        NotFound: the version was deleted meanwhile.
    """
    version = find(session, member, DatasetVersion, version_id, "data set version")
    version.tokens = tokens
    session.flush()
