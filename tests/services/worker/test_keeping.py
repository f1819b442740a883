"""A job goes on where it was, also on another machine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services import storage
from services.accounts.scope import Member
from services.config import settings
from services.db import transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.training.process.folder import COMPLETE, RunFolder
from services.worker import keeping
from services.worker.attempt import SHUTTING_DOWN, Attempt, _prepare, folder_of
from services.worker.chores import sweep
from services.worker.keeping import Keeper
from services.worker.lease import Lease
from services.worker.settle import settle
from tests.conftest import Clock
from tests.services.worker.working import (
    SQLITE_ONLY,
    claim,
    order,
)


@pytest.fixture
def move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """To another machine: of the old one's home only the object store is left."""
    monkeypatch.setenv("TUNEPORT_STORAGE_URL", f"file://{tmp_path / 'store'}")
    settings.cache_clear()

    def move_to(name: str) -> None:
        monkeypatch.setenv("TUNEPORT_HOME", str(tmp_path / name))
        settings.cache_clear()

    return move_to


@pytest.fixture
def kept(move: Callable[[str], None], customer: Member) -> tuple[Keeper, RunFolder]:
    """A run with one whole checkpoint and one that is still being written, and who keeps them."""
    order(customer)
    claimed, worker_id = claim()
    folder = RunFolder(folder_of(claimed))
    keeper = Keeper(claimed, folder, Lease(claimed, worker_id=worker_id))
    for step in (10, 20):
        checkpoint = folder.stage("learn") / f"checkpoint-{step}"
        checkpoint.mkdir(parents=True)
        (checkpoint / "weights").write_bytes(b"w" * step)
    (folder.stage("learn") / "checkpoint-10" / COMPLETE).write_text("10")
    folder.events.write_text("{}\n")
    return keeper, folder


def fetched(keeper: Keeper, tmp_path: Path) -> list[str]:
    (tmp_path / "new").mkdir(parents=True, exist_ok=True)
    keeping.fetch(keeper._claimed, RunFolder(tmp_path / "new"))
    return sorted(file.relative_to(tmp_path / "new").as_posix() for file in tmp_path.glob("new/**/*.*"))


@SQLITE_ONLY
def test_a_job_that_moves_to_another_machine_goes_on_from_its_checkpoint(
    kept: tuple[Keeper, RunFolder], move: Callable[[str], None]
) -> None:
    keeper, folder = kept
    keeper.keep()
    with transaction() as session:
        queue.release(session, keeper._claimed)

    move("elsewhere")
    second, _ = claim()
    prepared = RunFolder(_prepare(second, "cpu")[0])

    assert prepared.path != folder.path
    assert prepared.steps_kept() == 10
    assert prepared.events.read_bytes() == folder.events.read_bytes()


@SQLITE_ONLY
def test_what_is_still_being_written_is_not_kept(kept: tuple[Keeper, RunFolder], tmp_path: Path) -> None:
    keeper, _ = kept

    keeper.keep()
    fetched(keeper, tmp_path)

    assert (tmp_path / "new/checkpoints/learn/checkpoint-10/weights").read_bytes() == b"w" * 10
    assert not (tmp_path / "new/checkpoints/learn/checkpoint-20").exists()
    assert (tmp_path / "new/events.jsonl").exists()


@SQLITE_ONLY
def test_a_newer_checkpoint_takes_the_place_of_the_older(
    kept: tuple[Keeper, RunFolder], tmp_path: Path
) -> None:
    keeper, folder = kept
    keeper.keep()
    (folder.stage("learn") / "checkpoint-20" / COMPLETE).write_text("20")

    keeper.keep()
    fetched(keeper, tmp_path)

    assert RunFolder(tmp_path / "new").steps_kept() == 20
    assert len(list((tmp_path / "store").glob("**/runs/*/*/*"))) == 1


@SQLITE_ONLY
def test_what_is_damaged_is_left_alone(kept: tuple[Keeper, RunFolder], tmp_path: Path) -> None:
    keeper, _ = kept
    keeper.keep()
    next((tmp_path / "store").glob("**/weights")).write_bytes(b"x" * 10)

    fetched(keeper, tmp_path)

    assert RunFolder(tmp_path / "new").steps_kept() is None


@SQLITE_ONLY
def test_an_attempt_that_lost_its_job_keeps_nothing(kept: tuple[Keeper, RunFolder], tmp_path: Path) -> None:
    keeper, _ = kept
    keeper._lease._lost.set()

    keeper.keep()

    assert not [file for file in (tmp_path / "store").glob("**/runs/**/*") if file.is_file()]


@SQLITE_ONLY
def test_what_was_kept_of_a_job_that_somebody_else_ended_is_swept(
    kept: tuple[Keeper, RunFolder],
    customer: Member,
    clock: Clock,
) -> None:
    keeper, _ = kept
    keeper.keep()
    claimed = keeper._claimed
    with transaction() as session:
        jobs.cancel(session, customer, job_id=claimed.job_id)
    settle(claimed, Attempt(SHUTTING_DOWN, 1.0), device="cpu")
    latest = f"{keeping.prefix_of(claimed.tenant_id, claimed.job_id)}/latest.json"
    assert storage.exists(latest)

    clock.advance(2 * 3600)
    sweep()

    assert not storage.exists(latest)
