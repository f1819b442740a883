"""Promise 3: an attempt that lost its job changes nothing: no state, story, model, charge, file."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, SQLModel

from services.accounts.scope import Member
from services.config import settings
from services.db import reading, transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.errors import LeaseLost
from services.jobs.queue import HEARTBEAT, LEASE, Claimed
from services.jobs.tables import JobState
from services.training.process.events import EventKind, Phase, RunEvent
from services.worker.settle import settle
from tests import factories
from tests.conftest import Clock
from tests.faults.crew import World, wait_for
from tests.services.worker.test_settle import trained

AN_HOUR = 3600
TOLD = [(0, RunEvent(kind=EventKind.progress, phase=Phase.training, step=1, steps=2))]
WRITES: dict[str, Callable[[Session, Claimed], object]] = {
    "renew": queue.renew,
    "wish": queue.wish,
    "held": queue.held,
    "begin again": lambda session, claimed: queue.begin_again(session, claimed, device="cuda"),
    "report": lambda session, claimed: queue.report(session, claimed, TOLD),
    "finish": lambda session, claimed: queue.finish(session, claimed, model_version_id="mv", charged=1),
    "fail": lambda session, claimed: queue.fail(session, claimed, code="x", message="x"),
    "retry": lambda session, claimed: queue.retry(session, claimed, code="x", message="x"),
    "release": queue.release,
    "end cancelled": lambda session, claimed: queue.end_cancelled(session, claimed, charged=1),
}
MEANWHILE: dict[str, Callable[[Session, Claimed], object]] = {
    "is running": lambda session, claimed: None,
    "waits": lambda session, claimed: queue.release(session, claimed),
    "has succeeded": WRITES["finish"],
    "has failed": WRITES["fail"],
    "was cancelled": WRITES["end cancelled"],
}


def reclaimed(session: Session, member: Member, clock: Clock) -> tuple[Claimed, Claimed]:
    """An attempt that lost its job, and the next one; of one and the same worker."""
    worker_id = factories.next_worker(session)
    factories.create_job(session, member)
    stale = factories.claim(session, worker_id=worker_id)
    clock.advance(LEASE.total_seconds() + 1)
    queue.recover(session)
    clock.advance(HEARTBEAT.total_seconds() + 1)
    assert queue.recover(session)
    clock.advance(AN_HOUR)
    fresh = factories.claim(session, worker_id=worker_id)
    assert stale is not None
    assert fresh is not None
    return stale, fresh


def everything(session: Session) -> dict[str, list[object]]:
    """Every row of every table."""
    return {
        table.name: sorted(session.execute(select(table)).all(), key=repr)
        for table in SQLModel.metadata.sorted_tables
        if table.name != "worker"
    }


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("write", WRITES)
def test_a_stale_attempt_changes_nothing(
    session: Session, member: Member, clock: Clock, write: str, meanwhile: str
) -> None:
    stale, fresh = reclaimed(session, member, clock)
    MEANWHILE[meanwhile](session, fresh)
    before = everything(session)

    with pytest.raises(LeaseLost):
        WRITES[write](session, stale)

    assert everything(session) == before


def test_a_stale_result_is_neither_published_nor_charged_nor_kept(live_database: str, clock: Clock) -> None:
    with transaction() as session:
        member = factories.create_member(session)
    claimed, came = trained(member)
    with transaction() as session:
        queue.release(session, claimed)
        factories.claim(session)
        before = everything(session)

    with pytest.raises(LeaseLost):
        settle(claimed, came, device="cpu")

    with reading() as session:
        assert everything(session) == before
    assert stored() == []


def stored() -> list[Path]:
    return [path for path in (settings().home / "objects").rglob("*") if path.is_file()]


def test_a_worker_that_wakes_after_another_ended_its_job_changes_nothing(world: World) -> None:
    job_id = world.submit(world.members[0], key="key")
    sleeper = world.start(run_seconds=0.5)
    wait_for(lambda: any((settings().home / "runs").glob(f"*/{job_id}/events.jsonl")))
    world.pause(sleeper)
    # What the sleeper's run left on this machine is not for the heir, who may be on another.
    heir = world.start(offset=AN_HOUR)
    world.drain()
    world.kill(heir)
    with reading() as session:
        before, files = everything(session), stored()
        assert jobs.get(session, world.members[0], job_id=job_id).state is JobState.succeeded

    os.kill(sleeper, signal.SIGCONT)
    log = world.folder / "worker-1.diary.log"
    wait_for(lambda: "lost its lease" in log.read_text())

    with reading() as session:
        assert {**everything(session), "chore": []} == {**before, "chore": []}
    assert stored() == files
    assert world.findings() == []
