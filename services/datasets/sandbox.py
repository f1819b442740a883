"""Reads customers' files in a process of its own, which a hostile file may take down without harm.

The process gets a folder with the request and the file, and leaves its answer there; it has no environment,
no network, and limits on memory, time and disk that grow with the file. Nothing that it leaves is executed or
unpickled.
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from services.datasets.confinement import Allowance
from services.datasets.errors import ReadingCrashed, ReadingTooBig, ReadingTooLong
from services.datasets.limits import MAX_UNPACKED_BYTES
from services.datasets.packing import GZIP, PARQUET, ZIP
from services.errors import Invalid, ServiceError

# A file's bytes, or where they lie; what is stored need not pass through the memory of who asks.
Content = bytes | Path

log = logging.getLogger(__name__)

CONTENT, REQUEST, ANSWER, OUT = "content", "request.json", "answer.json", "out"
_SOURCE = Path(__file__).resolve().parents[2]
_MODULE = "services.datasets.apart"
# Interpreter and libraries, whatever the file; the seconds leave two of ten for the start.
_LEAST = Allowance(memory=1_500 * 2**20, file_bytes=64 * 2**20, seconds=8)
# Measured on tables of short texts: a parsed row takes about ten times its bytes. In two seconds a slow
# processor reads a megabyte of them, and compares them with one another.
_MEMORY_PER_BYTE, _FILE_PER_BYTE, _SECONDS_PER_MB = 24, 4, 2
# Text in archives, columns in Parquet and sheets in workbooks unpack to about ten times their size.
_PACKED, _PACKED_BY = (GZIP, ZIP, PARQUET), 10
_SIGNATURE_BYTES = 8
_MOST_MEMORY = 6 * 2**30
_MOST_ANSWER = 32 * 2**20
_SHOWN_LOG = 4_000
# What Python, and allocators of other languages, say before the process ends.
_OUT_OF_ROOM = (
    b"MemoryError",
    b"memory allocation of",
    b"bad_alloc",
    b"out of memory",
    b"malloc of size",
    b"File too large",
)


class Request(BaseModel):
    """What the process is to do: a step of `apart`, and the arguments of its function."""

    model_config = ConfigDict(extra="forbid")

    step: str
    arguments: dict[str, Any]
    allowance: Allowance
    parent: int


class Answer(BaseModel):
    """What the process has to say: the step's result as JSON, or why there is none."""

    result: str | None = None
    refused: dict[str, str] | None = None


@contextmanager
def apart(step: str, content: Content, **arguments: Any) -> Iterator[tuple[str, Path]]:
    """Do a step on a file in a process of its own: its result as JSON, and the folder of files it wrote.

    Raises:
        ServiceError: as the step says; of its data, only code and sentence have come out.
        ReadingTooLong, ReadingTooBig, ReadingCrashed: the process came to an end by itself, or was ended.
    """
    with TemporaryDirectory(prefix="tuneport-reading-") as temporary:
        folder = Path(temporary)
        (folder / OUT).mkdir()
        # A copy in any case: the process could write into what it is given.
        if isinstance(content, Path):
            shutil.copyfile(content, folder / CONTENT)
        else:
            (folder / CONTENT).write_bytes(content)
        with (folder / CONTENT).open("rb") as file:
            allowance = allowance_for((folder / CONTENT).stat().st_size, file.read(_SIGNATURE_BYTES))
        request = Request(step=step, arguments=arguments, allowance=allowance, parent=os.getpid())
        (folder / REQUEST).write_text(request.model_dump_json(), "utf-8")
        status, error = _run(folder, _patience(request.allowance))
        yield _result(folder, status, error), folder / OUT


def allowance_for(size: int, first: bytes) -> Allowance:
    """What reading a file of so many bytes may use: a fixed part, and one that grows with what it holds.

    By its `first` bytes it is known whether it is packed.
    """
    if first.startswith(_PACKED):
        size = max(size, min(size * _PACKED_BY, MAX_UNPACKED_BYTES))
    return Allowance(
        memory=min(_LEAST.memory + _MEMORY_PER_BYTE * size, _MOST_MEMORY),
        file_bytes=_LEAST.file_bytes + _FILE_PER_BYTE * size,
        seconds=_LEAST.seconds + size * _SECONDS_PER_MB // 2**20,
    )


def refused(error: ServiceError) -> dict[str, str]:
    """What of a refusal leaves the process."""
    return {"code": error.code, "message": error.message}


def revived(left: dict[str, str]) -> ServiceError:
    """The refusal of the same code and sentence; of its own data, it has none any more."""
    kind = next((kind for kind in _family(ServiceError) if kind.code == left["code"]), Invalid)
    error = kind.__new__(kind)
    ServiceError.__init__(error, left["message"])
    return error


def _patience(allowance: Allowance) -> int:
    """Seconds by the clock: on a busy machine, a large file takes twice the time that it computes."""
    return 2 * allowance.seconds - _LEAST.seconds


def _run(folder: Path, seconds: int) -> tuple[int | None, bytes]:
    """Exit status, None when it took too long, and the end of what the process complained of."""
    with (folder / "log").open("w+b") as complaints:
        process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
            [sys.executable, "-P", "-m", _MODULE, str(folder)],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=complaints,
            stderr=complaints,
            start_new_session=True,
        )
        try:
            status: int | None = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - _SHOWN_LOG))
        return status, complaints.read()


def _result(folder: Path, status: int | None, error: bytes) -> str:
    if status is None or status == -signal.SIGXCPU:
        raise ReadingTooLong
    if status == 0:
        answer = _answer(folder / ANSWER)
        if answer.refused is not None:
            raise revived(answer.refused)
        if answer.result is not None:
            return answer.result
    if status == -signal.SIGXFSZ or any(sign in error for sign in _OUT_OF_ROOM):
        raise ReadingTooBig
    log.error("reader crashed status=%s at=%s", status, _place(error.decode("utf-8", "replace")))
    raise ReadingCrashed


def _place(complaint: str) -> str:
    """Where it happened and what; without the message, which may quote the customer's data."""
    lines = complaint.strip().splitlines() or [""]
    frames = [line.strip() for line in lines if line.lstrip().startswith("File ")]
    return " < ".join([lines[-1].partition(":")[0], *reversed(frames)])


def _answer(file: Path) -> Answer:
    try:
        if file.stat().st_size > _MOST_ANSWER:
            raise ReadingTooBig
        return Answer.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return Answer()


def _environment() -> dict[str, str]:
    """Where our code is, and that libraries of numbers start no threads, each of which takes memory."""
    return {
        "PYTHONPATH": str(_SOURCE),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }


def _family(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)
