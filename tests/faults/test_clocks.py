"""Promise 16: clocks may lie: no lease is taken early, none lasts for ever, no job waits for a wrong hour."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from services import clock as clock_seam
from services.accounts.scope import Member
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.queue import HEARTBEAT, LEASE, Wish
from services.jobs.tables import Job, JobState
from tests import factories
from tests.conftest import Clock
from tests.faults.clocks import wrong_by
from tests.faults.crew import World

AN_HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
POSTGRES_ONLY = pytest.mark.parametrize("template", ["postgres"], indirect=True)


@pytest.fixture(params=[AN_HOUR, -AN_HOUR], ids=["an hour ahead", "an hour behind"])
def wrong_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> timedelta:
    """This process's clock is wrong, and the database's is right."""
    monkeypatch.setattr(clock_seam, "datetime", wrong_by(request.param))
    return request.param


def lease_of(session: Session, claimed: queue.Claimed) -> timedelta:
    """How much of the lease is left by a right clock."""
    job = session.get_one(Job, claimed.job_id, populate_existing=True)
    return job.lease_until - datetime.now(UTC)


@POSTGRES_ONLY
def test_leases_go_by_the_clock_of_the_database(
    session: Session, member: Member, wrong_clock: timedelta
) -> None:
    claimed = factories.create_claimed_job(session, member)
    assert LEASE - 5 * SECOND < lease_of(session, claimed) <= LEASE

    queue.renew(session, claimed)
    assert LEASE - 5 * SECOND < lease_of(session, claimed) <= LEASE
    for _ in range(2):
        assert queue.recover(session) == []


@POSTGRES_ONLY
def test_a_job_that_a_wrong_clock_submits_does_not_wait_for_it(
    session: Session, member: Member, wrong_clock: timedelta
) -> None:
    job = factories.create_job(session, member)

    claimed = factories.claim(session)

    assert claimed is not None
    assert claimed.job_id == job.id


@POSTGRES_ONLY
@pytest.mark.parametrize("skew", [AN_HOUR, -AN_HOUR])
def test_a_worker_with_a_wrong_clock_works_among_others(world: World, skew: timedelta) -> None:
    for number in range(6):
        world.submit(world.members[number % 3], key=f"key-{number}")

    world.start(skew=skew.total_seconds())
    world.start()
    world.drain()

    assert world.findings() == []


def test_a_clock_that_jumps_ahead_takes_no_job_from_a_live_worker(
    session: Session, member: Member, clock: Clock
) -> None:
    claimed = factories.create_claimed_job(session, member)

    for _ in range(3):
        clock.advance(AN_HOUR.total_seconds())
        assert queue.recover(session) == []
        assert queue.renew(session, claimed) == Wish(cancel=False, stop=False)
        clock.advance(HEARTBEAT.total_seconds())
        assert queue.recover(session) == []


def test_a_clock_that_jumped_back_leaves_no_lease_for_ever(
    session: Session, member: Member, clock: Clock
) -> None:
    claimed = factories.create_claimed_job(session, member)
    clock.advance(-AN_HOUR.total_seconds())

    queue.recover(session)
    assert lease_of(session, claimed) <= LEASE - AN_HOUR + SECOND
    clock.advance((LEASE + SECOND).total_seconds())
    queue.recover(session)
    clock.advance((HEARTBEAT + SECOND).total_seconds())

    assert queue.recover(session) == [claimed.job_id]
    assert jobs.get(session, member, job_id=claimed.job_id).state is JobState.queued


def test_a_clock_that_jumped_back_after_a_doubt_does_not_keep_it(
    session: Session, member: Member, clock: Clock
) -> None:
    claimed = factories.create_claimed_job(session, member)
    clock.advance((LEASE + SECOND).total_seconds())
    queue.recover(session)
    clock.advance(-2 * AN_HOUR.total_seconds())

    queue.recover(session)
    for _ in range(2):
        clock.advance((LEASE + SECOND).total_seconds())
        queue.recover(session)
    clock.advance((HEARTBEAT + SECOND).total_seconds())

    queue.recover(session)
    assert jobs.get(session, member, job_id=claimed.job_id).state is JobState.queued
