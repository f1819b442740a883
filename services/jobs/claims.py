"""How a claim and an end reach the database: in one question on Postgres, in steps on SQLite.

Both do the same, which the tests hold them to. On SQLite the transaction has been the only writer from its
beginning, so that nothing changes between two steps, and asking is a call within the process. Asking Postgres
is a way to another machine and back; its one statement makes the same steps over there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from services import clock, db
from services.accounts.scope import Member, Role
from services.jobs import fairness, statements


@dataclass(frozen=True)
class Claimed:
    """One attempt of a job, and the token that proves it."""

    job_id: str
    tenant_id: str
    attempt: int
    dataset_version_id: str
    # As it was submitted: another release may have written it, so that the worker checks it again.
    recipe: dict[str, Any]
    model_name: str
    quoted_seconds_high: int
    max_runtime_seconds: int
    # From when it could have started, and when it did.
    run_at: datetime
    claimed_at: datetime
    token: str

    @property
    def member(self) -> Member:
        """The tenant's side of what this attempt writes."""
        return Member(tenant_id=self.tenant_id, role=Role.owner)


def take(connection: Connection, *, worker_id: str, token: str, lease: timedelta) -> Claimed | None:
    """Begin an attempt at the best job of the tenant whose turn it is, or None."""
    if connection.dialect.name == "sqlite":
        return _take_in_steps(connection, worker_id=worker_id, token=token, lease=lease)
    asked = {
        "worker": worker_id,
        "token": token,
        "lease": lease,
        "kinds": list(statements.KINDS),
        "share": fairness.SHARE,
        "moved": clock.offset(),
    }
    for row in db.ask_driver(connection, statements.CLAIM, asked):
        return Claimed(*map(_in_utc, row))
    return None


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _take_in_steps(connection: Connection, *, worker_id: str, token: str, lease: timedelta) -> Claimed | None:
    now = clock.now()
    waiting = connection.execute(statements.WAITING, {"now": now, "worker": worker_id})
    in_turn = fairness.in_turn(fairness.Waiting(*row) for row in waiting)
    if not in_turn:
        return None
    known = {"tenant": in_turn[0], "now": now, "token": token, "worker": worker_id}
    taken = connection.execute(statements.TAKE, known | {"until": now + lease}).one()
    connection.execute(statements.SERVE, known | {"share": fairness.SHARE})
    begun = {"job": taken.job_id, "attempt": taken.attempt}
    connection.execute(statements.BEGIN_ATTEMPT, known | begun)
    return Claimed(*taken)


def end(connection: Connection, ending: dict[str, Any]) -> bool:
    """End a job and its attempt as `statements.END` says; whether it was this attempt's to end."""
    if connection.dialect.name == "sqlite":
        at = ending | {"now": clock.now()}
        ended = connection.execute(statements.END, at).rowcount == 1
        if ended:
            connection.execute(statements.CLOSE, at)
        return ended
    [(ended,)] = db.ask_driver(connection, statements.END_AT_ONCE, ending | {"moved": clock.offset()})
    return bool(ended)
