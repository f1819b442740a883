"""One attempt of a job: a run folder made, a run supervised, an outcome told."""

import logging
import shutil
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError

from services.config import settings
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.tables import DatasetVersion
from services.db import reading, transaction
from services.errors import ServiceError
from services.jobs import queue
from services.jobs.errors import RecipeUnreadable
from services.jobs.queue import Claimed
from services.training.bases import catalogue
from services.training.process import launcher
from services.training.process.events import RunEvent
from services.training.process.folder import RunFolder
from services.training.process.launcher import Crashed, Failed, Paused, Run
from services.training.recipe import Recipe, RunSpec
from services.worker import keeping, remembering
from services.worker.first import First
from services.worker.lease import Lease
from services.worker.trouble import Trouble

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
# Between two tries to tell a database that does not answer.
_AGAIN_SECONDS = 2.0
SPEC = "spec.json"


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
    """Where this machine keeps the job's run, from one attempt to the next.

    Machines that share a home do not share runs: only here can a run that its worker has lost be ended.
    """
    return settings().home / "runs" / socket.gethostname() / claimed.job_id


def attempt(claimed: Claimed, lease: Lease, *, device: str, stop: threading.Event) -> Attempt:
    """Train once, as far as data, machine and customer let it."""
    try:
        folder, version = _prepare(claimed, device)
    except RecipeUnreadable as refusal:
        # Another try would read it no better.
        return Attempt(Failed(code=refusal.code, message=refusal.message, whose="data"), 0.0)
    except ServiceError as refusal:
        return Attempt(Failed(code=refusal.code, message=refusal.message, whose="ours"), 0.0)

    came = _run(folder, claimed, lease, stop)
    if not isinstance(came.outcome, Stopped) and launcher.again_smaller(folder, came.outcome):
        # What the first start took was our misjudgement, and is not billed.
        with transaction() as session:
            queue.begin_again(session, claimed, device=device)
        came = _run(folder, claimed, lease, stop)
    if not lease.lost:
        remembering.keep(version, _recipe(claimed).base_model, RunFolder(folder))
    return came


def _run(folder: Path, claimed: Claimed, lease: Lease, stop: threading.Event) -> Attempt:
    started = time.monotonic()
    with launcher.start(folder) as run, keeping.Keeper(claimed, run.folder, lease) as keeper:
        outcome = _supervise(run, claimed, lease, stop)
    if outcome == SHUTTING_DOWN or isinstance(outcome, Crashed):
        # The next attempt may be on another machine.
        keeper.keep()
    return Attempt(outcome, time.monotonic() - started)


def forget(claimed: Claimed) -> None:
    """Remove the job's run folder and what is kept of it, once nobody will resume it."""
    shutil.rmtree(folder_of(claimed), ignore_errors=True)
    keeping.forget(claimed.tenant_id, claimed.job_id)


def _prepare(claimed: Claimed, device: str) -> tuple[Path, DatasetVersion]:
    folder = folder_of(claimed)
    # The spec is written last, and a job's data and recipe never change: what has one may be gone on with.
    resumed = (folder / SPEC).exists()
    recipe = _recipe(claimed)
    with transaction() as session:
        # A resumed run tells its whole story again, up to its checkpoint.
        queue.begin_again(session, claimed, device=device)
    with reading() as session:
        version = datasets.get_version(session, claimed.member, version_id=claimed.dataset_version_id)
        familiar = (
            datasets.get_version(session, claimed.member, version_id=recipe.familiarising_on)
            if recipe.familiarising_on
            else None
        )
    if not resumed:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        files.materialise(version, folder / "data")
        if familiar:
            files.materialise(familiar, RunFolder(folder).familiar)
        keeping.fetch(claimed, RunFolder(folder))
        remembering.fetch(version, recipe.base_model, RunFolder(folder))
    spec = RunSpec(
        recipe=recipe,
        base_model_path=catalogue.resolve(recipe.base_model, settings().cache_folder),
        labels=sorted(version.labels),
        data_hash=version.content_hash,
    )
    (folder / SPEC).write_text(spec.model_dump_json())
    return folder, version


def _recipe(claimed: Claimed) -> Recipe:
    try:
        return Recipe.model_validate(claimed.recipe)
    except ValidationError as error:
        raise RecipeUnreadable from error


def _supervise(run: Run, claimed: Claimed, lease: Lease, stop: threading.Event) -> Outcome:
    began = time.monotonic()
    deadline = began + claimed.max_runtime_seconds
    paid_until = began + claimed.quoted_seconds_high
    patience_ends: float | None = None
    first = First(claimed, run.folder)
    teller = _Teller(claimed)
    while run.poll() is None:
        if lease.lost:
            return LEASE_LOST
        if lease.wish.cancel:
            return CANCELLED
        if time.monotonic() > deadline:
            return TOO_LONG
        if lease.wish.stop:
            run.ask_to_stop()
        elif time.monotonic() > paid_until:
            # Nothing beyond the quote is billed: what there is by then is kept.
            run.ask_to_stop(why="quote")
        if stop.is_set() and patience_ends is None:
            run.ask_to_pause()
            patience_ends = time.monotonic() + settings().shutdown_seconds
        if patience_ends is not None and time.monotonic() > patience_ends:
            return SHUTTING_DOWN
        time.sleep(LOOK_SECONDS)
        teller.tell(run)
        first.look()
    while not teller.tell(run):
        if lease.lost:
            return LEASE_LOST
        time.sleep(LOOK_SECONDS)
    outcome = run.outcome()
    return SHUTTING_DOWN if isinstance(outcome, Paused) else outcome


class _Teller:
    """Passes on what a run says, numbered from 0; keeps it as long as the database does not answer."""

    def __init__(self, claimed: Claimed) -> None:
        self._claimed = claimed
        self._told = 0
        self._waiting: list[RunEvent] = []
        self._trouble = Trouble(f"about the progress of {claimed.job_id}")
        self._again = 0.0

    def tell(self, run: Run) -> bool:
        """Pass on what is new; whether nothing is left to tell."""
        self._waiting += run.events()
        if not self._waiting:
            return True
        if time.monotonic() < self._again:
            return False
        try:
            with transaction() as session:
                queue.report(session, self._claimed, list(enumerate(self._waiting, start=self._told)))
        except (OperationalError, InterfaceError):
            self._trouble.tell()
            self._again = time.monotonic() + _AGAIN_SECONDS
            return False
        self._trouble.over()
        self._told += len(self._waiting)
        self._waiting.clear()
        return True
