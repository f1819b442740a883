"""A worker that cannot write loses nothing: others do its work, and the database stays whole."""

import time

from sqlalchemy import text

from services.db import reading
from services.jobs.tables import JobState
from tests.faults.crew import World
from tests.faults.stub_run import MODEL_BYTES


def test_a_worker_whose_disk_is_full_loses_no_job(world: World) -> None:
    for number in range(3):
        world.submit(world.members[number], key=f"key-{number}")

    starved = world.start(file_limit=MODEL_BYTES // 2)
    time.sleep(1)
    assert world.count(JobState.succeeded) == 0
    world.kill(starved)
    world.start()
    world.drain()

    assert world.findings() == []
    with reading() as session:
        if session.get_bind().dialect.name == "sqlite":
            assert session.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
