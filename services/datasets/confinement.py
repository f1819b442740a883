"""How the process that reads a customer's file is shut in, by itself, before it looks at the file."""

import ctypes
import os
import resource
import signal
import sys
from typing import NamedTuple

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_OPEN_FILES = 64
# Reading a file takes none of these; whoever gets a parser to try them gets no further.
_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "ctypes.dlopen",
)


class Allowance(NamedTuple):
    """What a process may use: bytes of address space, bytes of a file that it writes, seconds."""

    memory: int
    file_bytes: int
    seconds: int


class OffLimits(PermissionError):
    """The process tried what reading a file does not take."""


def confine(allowance: Allowance, parent: int) -> None:
    """Bind this process to an allowance and to its parent's life, and take the network from it."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # Root may have a network of its own at once, others along with a user namespace; some systems allow
        # neither, and there the audit hook stands alone.
        if libc.unshare(_CLONE_NEWNET):
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    if os.getppid() != parent:
        sys.exit(1)
    resource.setrlimit(resource.RLIMIT_AS, (allowance.memory,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (allowance.file_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (allowance.seconds, allowance.seconds + 1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forbid() -> None:
    """Refuse network and programs from here on; the libraries are loaded by then."""
    sys.addaudithook(_refuse)


def _refuse(event: str, _: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise OffLimits(event)
