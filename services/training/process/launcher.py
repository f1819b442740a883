"""Starts a training run as a child process and watches its folder; knows nothing of torch."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from json import loads
from pathlib import Path
from time import monotonic, sleep

from pydantic import ValidationError

from services.config import settings
from services.training import examples
from services.training.examples import Example
from services.training.failures import LimitReached, MemoryLimit, Whose
from services.training.process import fences, watch
from services.training.process.events import RunEvent
from services.training.process.fences import Limits
from services.training.process.folder import RunFolder
from services.training.process.journal import rewind
from services.training.process.wishes import PAUSED, StopReason
from services.training.recipe import RunSpec
from services.training.reporting.report import Report

_SECONDS_TO_END = 5.0
# How often a run is measured against its limits, and looked at while its end is waited for.
_SECONDS_BETWEEN_MEASUREMENTS = 0.5
_SECONDS_BETWEEN_LOOKS = 0.05


@dataclass(frozen=True)
class Succeeded:
    """The model and its report are in the folder."""

    report: Report


@dataclass(frozen=True)
class Failed:
    """The run ended for a reason that the customer is told."""

    code: str
    message: str
    whose: Whose


@dataclass(frozen=True)
class Paused:
    """The run left off as it was asked to, and goes on from its checkpoint when it is started again."""


@dataclass(frozen=True)
class Crashed:
    """The run ended without saying why; a negative exit is the signal that ended it."""

    exit: int


Outcome = Succeeded | Failed | Paused | Crashed


def prepare(
    folder: Path,
    spec: RunSpec,
    *,
    train: Sequence[Example],
    validation: Sequence[Example],
    test: Sequence[Example],
) -> None:
    """Write what a run reads into a folder, which is made."""
    run = RunFolder(folder)
    run.data.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", train), ("validation", validation), ("test", test)):
        examples.write(run.split(name), rows)
    run.spec.write_text(spec.model_dump_json(), "utf-8")


def start(folder: Path, *, limits: Limits | None = None) -> "Run":
    """Start the run of a prepared folder; a folder that was interrupted goes on from its last checkpoint.

    Its limits are the operator's, unless told otherwise. The child is killed when the thread that called this
    ends, so call it from one that lives as long.
    """
    return Run(RunFolder(folder.resolve()), limits or _operators_limits())


def again_smaller(folder: Path, outcome: Outcome) -> bool:
    """Whether a run that was ended for its memory is to be started once more, computing half as much at once.

    It then goes on from its last checkpoint.
    """
    return (
        isinstance(outcome, Failed)
        and outcome.code == MemoryLimit.code
        and RunFolder(folder).ask_for_smaller()
    )


class Run:
    """A training run in its own process group, held to its limits as long as somebody polls it."""

    # What the child runs; it puts its own fences up.
    module = "services.training.run"

    def __init__(self, folder: RunFolder, limits: Limits) -> None:
        self.folder = folder
        self._limits = limits
        self._beyond: LimitReached | None = None
        self._measured = 0.0
        # A worker that was paused lost the job, and its run may still be at work in here.
        _kill_all(lambda: watch.processes(folder))
        # Before the first look at the events, so that none is told twice.
        rewind(folder)
        for earlier in (folder.stop, folder.pause):
            earlier.unlink(missing_ok=True)
        self._read = 0
        with folder.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                [sys.executable, "-P", "-m", self.module, str(folder.path)],
                cwd=folder.path,
                env=fences.environment(folder.path, limits),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The child's process id, which is its group's as well."""
        return self._process.pid

    def poll(self) -> int | None:
        """The exit status, or None while the run goes on; one that is beyond a limit is ended here."""
        status = self._process.poll()
        if status is None and monotonic() > self._measured + _SECONDS_BETWEEN_MEASUREMENTS:
            self._beyond = watch.reached(self.folder, self._limits)
            self._measured = monotonic()
            if self._beyond:
                self._end()
                return self._process.returncode
        return status

    def events(self) -> list[RunEvent]:
        """What the run has told since the last call; a line still being written waits for the next."""
        if not self.folder.events.exists():
            return []
        with self.folder.events.open("rb") as file:
            file.seek(self._read)
            complete, newline, _ = file.read().rpartition(b"\n")
        self._read += len(complete) + len(newline)
        return [event for line in complete.split(b"\n") if (event := _event(line))]

    def ask_to_stop(self, *, why: StopReason = "customer") -> None:
        """Have the run publish the best that it has so far; it is soon over, and has succeeded."""
        if not self.folder.stop.exists():
            self.folder.stop.write_text(why)

    def ask_to_pause(self) -> None:
        """Have the run leave off at its next step, with a checkpoint; it is then `Paused`.

        Once it reads the test split it rather goes on to its end, which is near.
        """
        self.folder.pause.touch()

    def kill(self) -> None:
        """End the run and whatever it started, within ten seconds; its checkpoints stay."""
        if self._signal(signal.SIGTERM):
            deadline = monotonic() + _SECONDS_TO_END
            while self._process.poll() is None and monotonic() < deadline:
                sleep(_SECONDS_BETWEEN_LOOKS)
        self._end()

    def outcome(self) -> Outcome:
        """How the run ended; waits for its end."""
        while (status := self.poll()) is None:
            sleep(_SECONDS_BETWEEN_LOOKS)
        if self._beyond is None and status > 0:
            # A file that may not grow breaks the run from within, before anybody has measured it.
            self._beyond = watch.reached_on_disk(self.folder, self._limits)
        if self._beyond:
            return Failed(self._beyond.code, self._beyond.message, self._beyond.whose)
        try:
            if status == 0:
                return Succeeded(self.folder.read_report())
            if status == PAUSED:
                return Paused()
            if status == 1:
                return Failed(**loads(self.folder.failure.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            # A status without its file: the child was ended in between.
            pass
        return Crashed(status)

    def _end(self) -> None:
        """Kill the run's group, and then whoever has left it."""
        self._signal(signal.SIGKILL)
        # Ours alone: where this worker has lost the job, another's run may be in the folder by now.
        _kill_all(lambda: watch.processes(self.folder, of=os.getpid()))
        self._process.wait()

    def _signal(self, number: signal.Signals) -> bool:
        """Signal the whole group; whether anybody was left in it."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        return True


def _kill_all(found: Callable[[], list[int]]) -> None:
    """Kill processes until none is found any more; new ones may be made meanwhile."""
    deadline = monotonic() + _SECONDS_TO_END
    while (left := found()) and monotonic() < deadline:
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        sleep(_SECONDS_BETWEEN_LOOKS)


def _operators_limits() -> Limits:
    chosen = settings()
    return Limits(
        memory=chosen.run_memory_mb * 2**20,
        disk=chosen.run_disk_mb * 2**20,
        processes=chosen.run_processes,
        gpu_share=chosen.run_gpu_percent / 100,
    )


def _event(line: bytes) -> RunEvent | None:
    try:
        return RunEvent.model_validate_json(line)
    except ValidationError:
        return None
