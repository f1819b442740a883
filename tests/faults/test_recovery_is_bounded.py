"""Promise 6: a dead worker's job waits no longer than its lease and two sweeps."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from services import db
from services.accounts.scope import Member
from services.db import reading, transaction
from services.jobs import chores as chore_leases
from services.jobs import service as jobs
from services.jobs.queue import LEASE, SWEEP, Claimed
from services.jobs.tables import JobState
from services.worker import chores
from tests import factories
from tests.conftest import Clock
from tests.faults.crew import World, wait_for

# A sweep is late by as much as a worker looks for chores seldom.
BOUND = LEASE + 2 * (SWEEP + timedelta(seconds=chores.LOOK_SECONDS))


@pytest.fixture
def abandoned(live_database: str) -> tuple[Member, Claimed]:
    """A job whose worker is dead."""
    with transaction() as session:
        member = factories.create_member(session)
        return member, factories.create_claimed_job(session, member)


def seconds_until_recovered(member: Member, claimed: Claimed, clock: Clock) -> float:
    """By the clock of the product, which goes on in steps as long as a worker's between two looks."""
    began = now()
    while state_of(member, claimed) is JobState.running:
        sweep_if_due()
        clock.advance(chores.LOOK_SECONDS)
        assert now() - began < 2 * BOUND, "nobody recovers the job"
    return (now() - began).total_seconds()


def now():
    with reading() as session:
        return db.now(session)


def sweep_if_due() -> None:
    with reading() as session:
        due = chore_leases.due(session, ["recover"])
    if due:
        chores._do("recover")


def state_of(member: Member, claimed: Claimed) -> JobState:
    with reading() as session:
        return jobs.get(session, member, job_id=claimed.job_id).state


def test_a_dead_workers_job_is_back_within_its_lease_and_two_sweeps(
    abandoned: tuple[Member, Claimed], clock: Clock
) -> None:
    assert seconds_until_recovered(*abandoned, clock) <= BOUND.total_seconds() + chores.LOOK_SECONDS


def test_a_recoverer_that_dies_delays_by_no_more_than_a_sweep(
    abandoned: tuple[Member, Claimed], clock: Clock
) -> None:
    clock.advance(LEASE.total_seconds())
    with transaction() as session:
        assert chore_leases.take(session, "recover", every=SWEEP)

    assert seconds_until_recovered(*abandoned, clock) <= 4 * SWEEP.total_seconds()


def test_a_recovery_that_breaks_anywhere_is_done_by_the_next(
    abandoned: tuple[Member, Claimed], clock: Clock
) -> None:
    member, claimed = abandoned
    clock.advance(LEASE.total_seconds() + 1)
    chores.recover()
    clock.advance(SWEEP.total_seconds() + 1)

    statements = 0
    while break_at(statements):
        assert state_of(member, claimed) is JobState.running
        statements += 1

    assert statements > 3
    assert state_of(member, claimed) is JobState.queued


class Broken(Exception):
    pass


def break_at(statement: int) -> bool:
    """Recover, and break before its n-th statement; whether it came so far."""
    seen = 0

    def look(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen > statement:
            raise Broken

    event.listen(Engine, "before_cursor_execute", look)
    try:
        chores.recover()
    except Broken:
        return True
    finally:
        event.remove(Engine, "before_cursor_execute", look)
    return False


def test_jobs_of_killed_workers_are_taken_up_by_others(world: World) -> None:
    for number in range(4):
        world.submit(world.members[number % 3], key=f"key-{number}")
    doomed = [world.start(run_seconds=60) for _ in range(4)]
    wait_for(lambda: world.count(JobState.running) == 4)
    for pid in doomed:
        world.kill(pid)

    world.start()
    world.drain()

    assert world.findings() == []
