"""Work of ours that comes round again: any worker does it, one at a time, under a lease of its own."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, or_, select, update

from services import db
from services.jobs.tables import Chore

# A worker that died at a chore holds it up for this long, or until it would come round again if that is
# sooner; chores go in steps that are far shorter.
LEASE = timedelta(minutes=5)


@dataclass(frozen=True)
class Taken:
    """A chore that is this worker's to do, and the token that proves it."""

    name: str
    token: str


def due(session: Session, names: Collection[str]) -> list[str]:
    """Those of the named chores that somebody should do now; reads only."""
    now = db.now(session)
    waiting = select(Chore.name).where(
        or_(col(Chore.due_at) > now, col(Chore.lease_until) > now), col(Chore.name).in_(names)
    )
    asleep = set(session.exec(waiting))
    return [name for name in names if name not in asleep]


def take(session: Session, name: str, *, every: timedelta) -> Taken | None:
    """Take a chore that is due and that nobody is at; it is due again after `every`."""
    now = db.now(session)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    known = dialect.insert(Chore).values(name=name, due_at=now)
    session.exec(known.on_conflict_do_nothing(index_elements=["name"]))
    token = uuid4().hex
    free = update(Chore).where(
        col(Chore.name) == name,
        # Also where a clock that has since jumped back put it off for longer than it ever waits.
        or_(col(Chore.due_at) <= now, col(Chore.due_at) > now + every),
        or_(col(Chore.lease_until).is_(None), col(Chore.lease_until) <= now),
    )
    taken = free.values(lease_token=token, lease_until=now + min(LEASE, every), due_at=now + every)
    return Taken(name, token) if session.exec(taken).rowcount == 1 else None


def done(session: Session, taken: Taken, *, failure: str | None = None) -> None:
    """Lay a chore down, with the reason where it broke; nothing happens where it was taken over meanwhile."""
    mine = update(Chore).where(col(Chore.name) == taken.name, col(Chore.lease_token) == taken.token)
    now: datetime = db.now(session)
    session.exec(mine.values(lease_token=None, lease_until=None, finished_at=now, failure=failure))
