"""Workers are told to stop and replaced, one after the other, while the work goes on."""

import os
import signal
from collections import Counter

from services.accounts.scope import across
from services.db import reading
from services.jobs.tables import AttemptOutcome, Job, JobAttempt, JobState
from tests.faults.crew import World, wait_for

WORKERS = 3
JOBS = 18
RUN_SECONDS = 0.4


def test_a_rolling_restart_of_three_workers_loses_and_repeats_nothing(world: World) -> None:
    old = [world.start(run_seconds=RUN_SECONDS) for _ in range(WORKERS)]
    for number in range(JOBS):
        world.submit(world.members[number % len(world.members)], key=f"{number}")
    wait_for(lambda: world.count(JobState.running) >= WORKERS)

    statuses = []
    for worker in old:
        os.kill(worker, signal.SIGTERM)
        statuses.append(world.wait(worker))
        world.start(run_seconds=RUN_SECONDS)
    world.drain()

    assert statuses == [0] * WORKERS
    assert world.findings() == []
    with reading() as session:
        tried = Counter((attempt.job_id, attempt.outcome) for attempt in session.exec(across(JobAttempt)))
        ended = {job.id: job.attempt for job in session.exec(across(Job))}
    assert AttemptOutcome.released in {outcome for _, outcome in tried}
    for job_id, attempt in ended.items():
        assert tried[job_id, AttemptOutcome.succeeded] == 1
        # What a worker gave back as it was told to stop is no attempt.
        assert attempt == 1 + tried[job_id, AttemptOutcome.lost]
