"""Starts a training run as a child process and watches its folder; knows nothing of torch."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pydantic import ValidationError

from services.training import journal
from services.training.events import RunEvent
from services.training.folder import RunFolder
from services.training.report import Report

# Between the polite and the forced end of a run; a cancelled job is gone ten seconds after the wish.
GRACE_SECONDS = 3.0
_PR_SET_PDEATHSIG = 1  # prctl(2)
# All that a run needs of our environment: where programs and libraries are, and which devices it may use.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")


@dataclass(frozen=True)
class Succeeded:
    """There is a model, and this is its report."""

    report: Report


@dataclass(frozen=True)
class Failed:
    """The run said why there is no model; `whose` is `data` where trying again would not help."""

    code: str
    message: str
    whose: Literal["data", "ours"]


@dataclass(frozen=True)
class Crashed:
    """The run ended without a word; a negative status is the signal that killed it."""

    status: int


class Run:
    """A running child and the folder it works in; leaving the block ends it."""

    def __init__(self, folder: RunFolder, child: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        self._child = child
        self._read_bytes = 0
        self._read_lines = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The child's process id, which is also its group's."""
        return self._child.pid

    def wait(self, seconds: float) -> int | None:
        """The exit status, or None when the run still works after so long."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def poll(self) -> int | None:
        """The exit status, or None while the run works."""
        return self._child.poll()

    def events(self) -> list[tuple[int, RunEvent]]:
        """What the run told since the last call, with line numbers; a half-written line waits its turn."""
        if not self._folder.events.exists():
            return []
        with self._folder.events.open("rb") as file:
            file.seek(self._read_bytes)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read_bytes += len(whole) + len(newline)
        told = []
        for line in whole.split(b"\n") if newline else []:
            with contextlib.suppress(ValidationError):
                told.append((self._read_lines, RunEvent.model_validate_json(line)))
            self._read_lines += 1
        return told

    def kill(self) -> None:
        """End the whole process group, politely, then by force."""
        deadline = time.monotonic() + GRACE_SECONDS
        self._signal(signal.SIGTERM)
        while self._child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        self._signal(signal.SIGKILL)
        self._child.wait()

    def outcome(self) -> Succeeded | Failed | Crashed:
        """What came of a run that has ended."""
        status = self._child.wait()
        if status == 0 and self._folder.report.exists():
            return Succeeded(self._folder.read_report())
        if status == 1 and self._folder.failure.exists():
            return Failed(**json.loads(self._folder.failure.read_text("utf-8")))
        return Crashed(status)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, number)


def start(path: Path) -> Run:
    """Train in a folder that holds `spec.json` and `data/`; checkpoints of an earlier start are resumed.

    The child has a session and process group of its own, no more of our environment than it needs, and dies
    with the thread that called this.
    """
    folder = RunFolder(path)
    # What an earlier start said past its checkpoint is about to be said again.
    journal.rewind(folder)
    for leftover in (folder.failure, folder.report):
        leftover.unlink(missing_ok=True)
    scratch = path / "tmp"
    scratch.mkdir(exist_ok=True)
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    with folder.log.open("ab") as log:
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "services.training.run", str(path)],
            cwd=path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
    return Run(folder, child)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
