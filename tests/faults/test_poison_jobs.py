"""Promise 7: a job that kills its worker stops after its last attempt, and takes nobody along."""

import random
import signal

from hypothesis import given
from hypothesis import strategies as st

from services.db import reading, transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.queue import HEARTBEAT, LEASE
from services.jobs.retries import FIRST_WAIT, LONGEST_WAIT, back_off
from services.jobs.tables import JobState
from tests.conftest import Clock
from tests.faults.crew import World
from tests.faults.stub_run import KILLS_ITS_WORKER

AN_HOUR = 3600


def test_a_job_that_kills_its_worker_fails_and_others_do_not(world: World, clock: Clock) -> None:
    poisoner, neighbour, _ = world.members
    poison = world.submit(poisoner, key="poison", seed=KILLS_ITS_WORKER)
    deaths = 0
    while world.count(JobState.queued) and deaths < 6:
        assert world.wait(world.start(jobs=1)) == -signal.SIGKILL
        deaths += 1
        for seconds in (LEASE.total_seconds(), HEARTBEAT.total_seconds(), AN_HOUR):
            clock.advance(seconds + 1)
            with transaction() as session:
                queue.recover(session)

    harmless = world.submit(neighbour, key="harmless")
    assert world.wait(world.start(jobs=1)) == 0

    with reading() as session:
        job = jobs.get(session, poisoner, job_id=poison)
        assert (job.state, job.failure_code, job.charged) == (JobState.failed, "worker_crashed", 0)
        assert deaths == job.attempt == job.max_attempts
        assert jobs.get(session, neighbour, job_id=harmless).state is JobState.succeeded
    assert world.findings() == []


@given(st.integers(1, 60), st.integers(0, 2**32))
def test_back_off_grows_by_chance_within_bounds(attempt: int, seed: int) -> None:
    wait = back_off(attempt, random.Random(seed))

    doubled = min(FIRST_WAIT * 2 ** min(attempt - 1, 16), LONGEST_WAIT)
    assert doubled / 2 <= wait <= doubled
    assert wait != back_off(attempt, random.Random(seed + 1))
