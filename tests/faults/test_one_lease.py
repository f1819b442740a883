"""Promise 2: of one job there is one attempt at a time, and each attempt is claimed by one worker."""

import random
import threading
from collections import Counter

from services.db import transaction
from services.jobs import queue
from services.jobs.queue import HEARTBEAT, LEASE, Claimed
from services.jobs.tables import JobState
from tests import factories
from tests.conftest import Clock
from tests.faults import recorder
from tests.faults.conftest import ROUNDS
from tests.faults.crew import World, together
from tests.faults.history import findings

WORKERS = 12
AN_HOUR = 3600


def claim_together(worker_id: str) -> list[Claimed]:
    """What twelve workers get that all ask in the same moment, until there is nothing more."""
    ready = threading.Barrier(WORKERS)

    def claim() -> list[Claimed]:
        ready.wait()
        mine = []
        for _ in range(4):
            with transaction() as session:
                if claimed := factories.claim(session, worker_id=worker_id):
                    mine.append(claimed)
        return mine

    return [claimed for mine in together(*[claim] * WORKERS) for claimed in mine]


def test_workers_that_ask_at_once_never_hold_one_job_twice(world: World, clock: Clock) -> None:
    chance = random.Random(1)
    with transaction() as session:
        worker_id = factories.next_worker(session)
    attempts: Counter[tuple[str, int]] = Counter()
    for round_number in range(4 * ROUNDS):
        for number in range(6):
            world.submit(world.members[number % 3], key=f"key-{round_number}-{number}")
        claimed = claim_together(worker_id)
        attempts.update((claim.job_id, claim.attempt) for claim in claimed)
        # Some workers fail, some die with their job, and others give it back.
        for claim in claimed:
            with transaction() as session:
                match chance.choice(["fail", "release", "die"]):
                    case "fail":
                        queue.fail(session, claim, code="x", message="x")
                    case "release":
                        attempts[claim.job_id, claim.attempt] -= 1
                        queue.release(session, claim)
        for seconds in (LEASE.total_seconds(), HEARTBEAT.total_seconds(), AN_HOUR):
            clock.advance(seconds + 1)
            with transaction() as session:
                queue.recover(session)

    assert len(attempts) >= 12
    assert set(attempts.values()) <= {0, 1}
    assert world.count(JobState.running) == 0
    broken = {finding.what for finding in findings([], recorder.final())}
    assert broken <= {"unexpected"}
