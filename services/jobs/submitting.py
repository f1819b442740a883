"""What a submit has to know, asked at once; object by object it was eight questions."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services import clock, db
from services.accounts.scope import Member
from services.jobs import statements


@dataclass(frozen=True, slots=True)
class Standing:
    """A workspace, locked until the transaction ends, and what a new job would meet in it."""

    name: str
    suspended_at: datetime | None
    open_job_limit: int
    max_runtime_seconds: int
    next_turn: int
    # By the clock that claims go by; this process's own may be wrong.
    now: datetime
    # The job that the idempotency key made before.
    earlier_id: str | None
    open_jobs: int
    # Of the data set version, and when the data of its data set was deleted; no task without such a version.
    task: str | None
    dataset: str | None
    deleted_at: datetime | None


def standing(session: Session, member: Member, *, version_id: str, key: str) -> Standing:
    """Lock the member's workspace, then look: what is counted before the lock may be more by then."""
    session.flush()
    connection = session.connection()
    asked = {"tenant": member.tenant_id, "version": version_id, "key": key}
    if connection.dialect.name == "sqlite":
        # The transaction has been the only writer from its beginning.
        return Standing(*connection.execute(statements.STANDING, asked | {"now": clock.now()}).one())
    db.ask_driver(connection, statements.LOCK, asked)
    [row] = db.ask_driver(connection, statements.STANDING_AT_ONCE, asked | {"moved": clock.offset()})
    return Standing(*row)
