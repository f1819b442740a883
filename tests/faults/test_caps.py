"""Promise 8: a workspace's limit of running jobs is never passed, and no crash takes a place away."""

import signal
import time

from services.db import transaction
from services.jobs import queue
from services.jobs.queue import HEARTBEAT, LEASE
from services.jobs.tables import JobState
from tests import factories
from tests.conftest import Clock
from tests.faults.conftest import ROUNDS
from tests.faults.crew import World

# Every crash point in a run of its own, otherwise some of them.
STEP = 10 if ROUNDS == 1 else 1
# Looks for what a dead worker left: the server may carry out what it asked with its last breath only now.
PATIENCE = 50


def test_a_worker_may_die_at_any_point_and_leaks_no_place(world: World, clock: Clock) -> None:
    member = world.members[0]
    died_at = 0
    for point in range(1, 1000, STEP):
        world.submit(member, key=f"key-{point}")
        status = world.wait(world.start(crash_at=point, jobs=1, run_seconds=0))
        if status == 0:
            break
        assert status == -signal.SIGKILL
        died_at += 1
        for _ in range(PATIENCE):
            give_back(clock)
            if not world.count(JobState.running):
                break
            time.sleep(0.1)
        assert world.count(JobState.running) == 0

    assert died_at > 40 / STEP
    for number in range(3):
        world.submit(member, key=f"last-{number}")
    with transaction() as session:
        worker_id = factories.next_worker(session)
        claimed = [factories.claim(session, worker_id=worker_id) for _ in range(3)]
        for attempt in filter(None, claimed):
            queue.release(session, attempt)
    assert [attempt is not None for attempt in claimed] == [True, True, False]

    world.start(run_seconds=0)
    world.drain()
    assert world.findings() == []


def give_back(clock: Clock) -> None:
    """What any other worker does for a dead one, in no time."""
    for seconds in (LEASE.total_seconds(), HEARTBEAT.total_seconds()):
        clock.advance(seconds + 1)
        with transaction() as session:
            queue.recover(session)
