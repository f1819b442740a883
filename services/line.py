"""The line in front of a SQLite file: whoever comes first writes first, from whatever process or thread.

SQLite itself keeps none: whoever finds it busy sleeps for a while and tries again, so that under load some
are served at once and some much later. A semaphore of the kernel (System V) does: it hands over to the next,
in order and at once, knows an end of patience, and gives back the place of a process that dies. It orders who
comes; that one writes at a time is SQLite's own lock, so where there is no such semaphore nothing breaks.
"""

import ctypes
import errno
import os
import time
from functools import cache
from pathlib import Path
from zlib import crc32

# Beyond this nobody waits for others, and for a while not at all: the process at the front was stopped in its
# tracks. Whether it writes, and is to be waited for, SQLite knows.
PATIENCE_SECONDS = 5.0
_DISTRUST_SECONDS = 30.0
# One set for all databases of a user of this host. Two that meet in one semaphore share a line: no harm.
_SEMAPHORES = 4096

# From <sys/ipc.h> and <sys/sem.h> of Linux.
_IPC_CREAT = 0o1000
_SEM_UNDO = 0x1000


class _Operation(ctypes.Structure):
    _fields_ = (("number", ctypes.c_ushort), ("change", ctypes.c_short), ("flags", ctypes.c_short))


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


_libc = ctypes.CDLL(None, use_errno=True)
# Semaphore -> until when this process does without, by its monotonic clock.
_stuck_until: dict[int, float] = {}


class Place:
    """A place in the line of a database file; waits until it is at the front, or has waited for too long."""

    def __init__(self, database: Path, *, patience: float = PATIENCE_SECONDS) -> None:
        self._number = crc32(os.fsencode(database)) % _SEMAPHORES
        self._at_front = False
        if time.monotonic() < _stuck_until.get(self._number, 0.0):
            return
        # In one step: wait until nobody is at the front, and be there.
        self._at_front = _operate((self._number, 0, 0), (self._number, 1, _SEM_UNDO), patience=patience)
        if not self._at_front:
            _stuck_until[self._number] = time.monotonic() + _DISTRUST_SECONDS

    def leave(self) -> None:
        """Let the next one come."""
        if self._at_front:
            self._at_front = False
            _operate((self._number, -1, _SEM_UNDO), patience=PATIENCE_SECONDS)


def _operate(*operations: tuple[int, int, int], patience: float) -> bool:
    """Change the semaphores all at once; whether it could be done before patience ran out."""
    line = _line()
    if line is None:
        return False
    steps = (_Operation * len(operations))(*(_Operation(*one) for one in operations))
    deadline = time.monotonic() + patience
    while (left := deadline - time.monotonic()) > 0:
        wait = _Timespec(int(left), int(left % 1 * 1e9))
        if _libc.semtimedop(line, steps, len(operations), ctypes.byref(wait)) == 0:
            return True
        # A signal only interrupts the wait.
        if ctypes.get_errno() != errno.EINTR:
            return False
    return False


@cache
def _line() -> int | None:
    """The kernel's id of our semaphores; None where it has none for us."""
    if not hasattr(_libc, "semtimedop"):
        return None
    key = crc32(f"tuneport line {os.getuid()}".encode()) & 0x7FFFFFFF
    found: int = _libc.semget(key, _SEMAPHORES, _IPC_CREAT | 0o600)
    return found if found >= 0 else None
