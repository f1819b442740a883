"""Starts a training run as a child process and watches its folder; knows nothing of torch."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from json import loads
from pathlib import Path
from time import monotonic, sleep

from pydantic import ValidationError

from services.training import examples
from services.training.events import RunEvent
from services.training.examples import Example
from services.training.failures import Whose
from services.training.folder import RunFolder
from services.training.journal import rewind
from services.training.recipe import RunSpec
from services.training.report import Report
from services.training.wishes import PAUSED

# Tells the child which process it must not outlive.
PARENT = "TUNEPORT_RUN_PARENT"
_PR_SET_PDEATHSIG = 1
_SECONDS_TO_END = 5.0
_SOURCE = Path(__file__).resolve().parents[2]
# What a run needs of the host; no secret, no database address, no proxy.
_KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
)


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


def start(folder: Path) -> "Run":
    """Start the run of a prepared folder; a folder that was interrupted goes on from its last checkpoint.

    The child is killed when the thread that called this ends, so call it from one that lives as long.
    """
    return Run(RunFolder(folder.resolve()))


class Run:
    """A training run in its own process group."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        # Before the first look at the events, so that none is told twice.
        rewind(folder)
        for earlier in (folder.stop, folder.pause):
            earlier.unlink(missing_ok=True)
        self._read = 0
        with folder.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                [sys.executable, "-P", "-m", "services.training.run", str(folder.path)],
                cwd=folder.path,
                env=_environment(folder.path),
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
        """The exit status, or None while the run goes on."""
        return self._process.poll()

    def events(self) -> list[RunEvent]:
        """What the run has told since the last call; a line still being written waits for the next."""
        if not self.folder.events.exists():
            return []
        with self.folder.events.open("rb") as file:
            file.seek(self._read)
            complete, newline, _ = file.read().rpartition(b"\n")
        self._read += len(complete) + len(newline)
        return [event for line in complete.split(b"\n") if (event := _event(line))]

    def ask_to_stop(self) -> None:
        """Have the run publish the best that it has so far; it is soon over, and has succeeded."""
        self.folder.stop.touch()

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
                sleep(0.05)
            self._signal(signal.SIGKILL)
        self._process.wait()

    def outcome(self) -> Outcome:
        """How the run ended; waits for its end."""
        status = self._process.wait()
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

    def _signal(self, number: signal.Signals) -> bool:
        """Signal the whole group; whether anybody was left in it."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        return True


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends; at once if it already has."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def _event(line: bytes) -> RunEvent | None:
    try:
        return RunEvent.model_validate_json(line)
    except ValidationError:
        return None


def _environment(folder: Path) -> dict[str, str]:
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        PARENT: str(os.getpid()),
        "PYTHONPATH": str(_SOURCE),
        "PYTHONUNBUFFERED": "1",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        # The launcher resolves base models; a run has no business on the network.
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "true",
        # Idle threads sleep instead of spinning: beside other busy processes a step is four times quicker.
        "OMP_WAIT_POLICY": "PASSIVE",
    }
