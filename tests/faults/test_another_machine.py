"""A job whose machine is lost in the middle of its training goes on elsewhere, where it was."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from services import storage
from services.accounts.scope import Member
from services.config import settings
from services.db import reading, transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.retries import LONGEST_WAIT
from services.jobs.tables import Job, JobEvent, JobState
from services.training.bases import catalogue
from services.training.process.events import EventKind, Phase
from services.training.recipe import Preset, Recipe, Task, defaults
from services.worker import keeping
from services.worker.attempt import attempt
from services.worker.lease import Lease
from services.worker.settle import settle
from tests.conftest import Clock
from tests.services.training.tiny import create_base_model
from tests.services.worker.working import (
    SQLITE_ONLY,
    claim,
    create_customer,
    order,
    wait_for,
)

STEP_BY_STEP = {"epochs": 12, "batch_size": 1, "learning_rate": 1e-4, "patience": 0, "max_length": 32}
RECIPE = Recipe(
    task=Task.text_classification,
    preset=Preset.custom,
    hyperparameters=defaults(Preset.custom, Task.text_classification).model_copy(update=STEP_BY_STEP),
)


@pytest.fixture
def customer(live_database: str) -> Member:
    return create_customer()


def told(member: Member, job: Job) -> list[JobEvent]:
    with reading() as session:
        return jobs.events(session, member, job_id=job.id)


def curve(events: list[JobEvent], kind: EventKind) -> list[tuple[int, dict[str, float]]]:
    return [(one.step, one.values) for one in events if (one.phase, one.kind) == (Phase.training, kind)]


def kept_steps(job: Job) -> int | None:
    latest = f"{keeping.prefix_of(job.tenant_id, job.id)}/latest.json"
    if not storage.exists(latest):
        return None
    return int(json.loads(storage.get(latest))["prefix"].rpartition("/")[2])


@contextmanager
def far_worker(base_model: Path) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-m", "tests.faults.far_worker", str(base_model)]
    worker = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def move_home(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("TUNEPORT_HOME", str(home))
    settings.cache_clear()


@SQLITE_ONLY
def test_a_run_whose_machine_is_lost_goes_on_elsewhere_where_it_was(
    customer: Member,
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base_model = create_base_model(tmp_path / "base")
    monkeypatch.setattr(catalogue, "resolve", lambda _name, _cache: base_model)
    monkeypatch.setenv("TUNEPORT_STORAGE_URL", f"file://{tmp_path / 'store'}")
    move_home(monkeypatch, tmp_path / "lost")
    job = order(customer, RECIPE)

    # The first machine trains, keeps a checkpoint, goes on beyond it, and is gone with its disk.
    with far_worker(base_model) as worker:
        wait_for(lambda: kept_steps(job) and len(curve(told(customer, job), EventKind.metric)) > 1)
        before = told(customer, job)
        worker.kill()
    kept = kept_steps(job)
    shutil.rmtree(tmp_path / "lost")

    # Nobody hears from it any more.
    move_home(monkeypatch, tmp_path / "other")
    clock.advance(queue.LEASE.total_seconds() + 1)
    with transaction() as session:
        queue.recover(session)
    clock.advance(queue.HEARTBEAT.total_seconds())
    with transaction() as session:
        assert queue.recover(session) == [job.id]
    clock.advance(LONGEST_WAIT.total_seconds())
    claimed, worker_id = claim()
    with Lease(claimed, worker_id=worker_id) as lease:
        settle(claimed, attempt(claimed, lease, device="cpu", stop=threading.Event()), device="cpu")

    with reading() as session:
        ended = jobs.get(session, customer, job_id=job.id)
    after = told(customer, job)
    assert (ended.state, ended.attempt) == (JobState.succeeded, 2), ended.failure
    assert any(event.message == f"Went on after step {kept}." for event in after)
    assert [event.position for event in after] == list(range(len(after)))
    # No gap and no double point, and up to the checkpoint the story is the one that was told before.
    scores = curve(after, EventKind.metric)
    *between, last = [later - earlier for (earlier, _), (later, _) in pairwise(scores)]
    assert set(between) == {scores[0][0]}
    assert last <= scores[0][0]
    progress = [step for step, _ in curve(after, EventKind.progress)]
    assert progress == sorted(set(progress))
    assert (
        scores[-1][0] == progress[-1] == max(event.steps for event in after if event.phase == Phase.training)
    )
    assert kept > 0
    stood = [point for point in curve(before, EventKind.metric) if point[0] <= kept]
    assert scores[: len(stood)] == stood
    assert kept_steps(job) is None
