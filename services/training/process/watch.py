"""What a run takes of its host, seen from outside of it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from services.training.failures import DiskLimit, LimitReached, LogLimit, MemoryLimit, ProcessLimit
from services.training.process.fences import MARK, PARENT, Limits
from services.training.process.folder import RunFolder

_PROC = Path("/proc")


def reached(folder: RunFolder, limits: Limits) -> LimitReached | None:
    """The first limit that the run in this folder is beyond, if any."""
    running = processes(folder, of=os.getpid())
    if len(running) > limits.processes:
        return ProcessLimit(limits.processes)
    if sum(map(memory, running)) > limits.memory:
        return MemoryLimit(limits.memory)
    return reached_on_disk(folder, limits)


def reached_on_disk(folder: RunFolder, limits: Limits) -> LimitReached | None:
    """The limit of what it writes that the run has reached, which stands when its processes are gone."""
    if sum(_sizes(folder.path)) >= limits.disk:
        return DiskLimit(limits.disk)
    if folder.log.stat().st_size > limits.log:
        return LogLimit(limits.log)
    return None


def processes(folder: RunFolder, *, of: int | None = None) -> list[int]:
    """The ids of the processes that run in this folder, as far as this system tells (Linux does).

    `of` is the launcher whose processes are meant; None is whoever has started them.
    """
    marks = [os.fsencode(f"{MARK}={folder.path}\0")]
    if of is not None:
        marks.append(os.fsencode(f"{PARENT}={of}\0"))
    found = []
    for process in _PROC.glob("[0-9]*"):
        # Others' processes may not be read, and any may end meanwhile. A zombie has no environment.
        with suppress(OSError):
            environment = (process / "environ").read_bytes()
            if all(mark in environment for mark in marks):
                found.append(int(process.name))
    return found


def memory(process: int) -> int:
    """Bytes that a process alone has in memory: neither its libraries nor files that it has mapped."""
    with suppress(OSError):
        fields = dict(
            line.split(":", 1) for line in (_PROC / str(process) / "status").read_text().splitlines()
        )
        # A process that is about to end has none.
        return sum(int(fields[name].split()[0]) * 1024 for name in ("RssAnon", "RssShmem") if name in fields)
    return 0


def _sizes(folder: Path) -> Iterator[int]:
    """Bytes of each file below a folder, some of which vanish meanwhile."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                yield (Path(parent) / name).lstat().st_size
