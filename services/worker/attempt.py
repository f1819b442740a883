"""One attempt of a job: a run folder made, a run supervised, an outcome told."""

import logging
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from services.config import settings
from services.datasets import files
from services.datasets import service as datasets
from services.db import reading, transaction
from services.errors import ServiceError
from services.jobs import queue
from services.jobs.errors import RecipeUnreadable
from services.jobs.queue import Claimed
from services.training import catalogue, launcher
from services.training.launcher import Failed, Run
from services.training.recipe import Recipe, RunSpec
from services.worker.lease import Lease

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Stopped:
    """The run was ended by us; `why` says for what."""

    why: str


CANCELLED = Stopped("cancelled")
LEASE_LOST = Stopped("lease lost")
SHUTTING_DOWN = Stopped("shutting down")
TOO_LONG = Stopped("over its longest run time")

Outcome = launcher.Outcome | Stopped


@dataclass(frozen=True)
class Attempt:
    """What came of an attempt, and the seconds that its run took."""

    outcome: Outcome
    seconds: float


def folder_of(claimed: Claimed) -> Path:
    """Where this machine keeps the job's run, from one attempt to the next."""
    return settings().home / "runs" / claimed.job_id


def attempt(claimed: Claimed, lease: Lease, *, device: str, stop: threading.Event) -> Attempt:
    """Train once, as far as data, machine and customer let it."""
    started = time.monotonic()
    try:
        folder = _prepare(claimed, device)
    except RecipeUnreadable as refusal:
        # Another try would read it no better.
        return Attempt(Failed(code=refusal.code, message=refusal.message, whose="data"), 0.0)
    except ServiceError as refusal:
        return Attempt(Failed(code=refusal.code, message=refusal.message, whose="ours"), 0.0)

    started = time.monotonic()
    with launcher.start(folder) as run:
        outcome = _supervise(run, claimed, lease, stop)
    return Attempt(outcome, time.monotonic() - started)


def forget(claimed: Claimed) -> None:
    """Remove the job's run folder, once nobody will resume it."""
    shutil.rmtree(folder_of(claimed), ignore_errors=True)


def _prepare(claimed: Claimed, device: str) -> Path:
    folder = folder_of(claimed)
    resumed = folder.exists() and claimed.attempt > 1
    with transaction() as session:
        # A resumed run tells its whole story again, up to its checkpoint.
        queue.begin_again(session, claimed, device=device)
    with reading() as session:
        version = datasets.get_version(session, claimed.member, version_id=claimed.dataset_version_id)
    if not resumed:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        files.materialise(version, folder / "data")
    recipe = _recipe(claimed)
    spec = RunSpec(
        recipe=recipe,
        base_model_path=catalogue.resolve(recipe.base_model, settings().cache_folder),
        labels=sorted(version.labels),
        data_hash=version.content_hash,
    )
    (folder / "spec.json").write_text(spec.model_dump_json())
    return folder


def _recipe(claimed: Claimed) -> Recipe:
    try:
        return Recipe.model_validate(claimed.recipe)
    except ValidationError as error:
        raise RecipeUnreadable from error


def _supervise(run: Run, claimed: Claimed, lease: Lease, stop: threading.Event) -> Outcome:
    deadline = time.monotonic() + claimed.max_runtime_seconds
    told = 0
    while run.poll() is None:
        if lease.lost:
            return LEASE_LOST
        if lease.wish.cancel:
            return CANCELLED
        if time.monotonic() > deadline:
            return TOO_LONG
        if stop.wait(LOOK_SECONDS):
            return SHUTTING_DOWN
        told += _tell(run, claimed, told)
    _tell(run, claimed, told)
    return run.outcome()


def _tell(run: Run, claimed: Claimed, told: int) -> int:
    """Pass on what the run says, numbered from `told` on; gives how many events there were."""
    events = run.events()
    if events:
        with transaction() as session:
            queue.report(session, claimed, list(enumerate(events, start=told)))
    return len(events)
