"""The fences of a run: an almost empty environment, rights that it gives up, and limits that it sets itself.

Only the standard library is imported here: the fences stand before the slow imports, and while the process
has a single thread; with more of them it could not leave its user namespace.
"""

import ctypes
import errno
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Which process the run must not outlive, what it may take, and its folder: the mark of all its processes,
# also of one that has left the run's group and session.
PARENT = "TUNEPORT_RUN_PARENT"
LIMITS = "TUNEPORT_RUN_LIMITS"
MARK = "TUNEPORT_RUN"
# What else it needs of the host; no secret, no database address, no proxy.
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "OMP_NUM_THREADS")
# Idle threads sleep instead of spinning: beside other busy processes a step is four times quicker.
COMPUTING = {"OMP_WAIT_POLICY": "PASSIVE"}
_SOURCE = Path(__file__).resolve().parents[3]

# From linux/prctl.h and linux/sched.h.
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x1000_0000
_CLONE_NEWNET = 0x4000_0000
# Of sys.audit: those with an address as second argument, and those with a name as first.
_REACHING = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}
_ASKING = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_HERE = {"localhost", "127.0.0.1", "::1", None}


@dataclass(frozen=True)
class Limits:
    """What a run may take of its host; sizes in bytes."""

    # Of all its processes together.
    memory: int
    # Of its folder; no single file grows beyond it either.
    disk: int
    processes: int
    log: int = 64 * 2**20
    # Of a GPU's memory, above 0 up to 1.
    gpu_share: float = 1.0


def environment(folder: Path, limits: Limits) -> dict[str, str]:
    """The environment of a run that this process starts in a folder, where scratch space is made for it."""
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        PARENT: str(os.getpid()),
        LIMITS: json.dumps(asdict(limits)),
        MARK: str(folder),
        # One device alone, or Trainer would spread each batch over all that it sees.
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0],
        "PYTHONPATH": str(_SOURCE),
        "PYTHONUNBUFFERED": "1",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        # The worker resolves base models; a run has no business on the network.
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "true",
        **COMPUTING,
    }


def limits() -> Limits | None:
    """What this run may take; None where it was started by hand."""
    return Limits(**json.loads(os.environ[LIMITS])) if LIMITS in os.environ else None


def put_up() -> None:
    """Fence this process in, if a launcher has started it."""
    allowed = limits()
    if allowed is None:
        return
    _leave_the_network()
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_FSIZE, allowed.disk)
    # Last, because a change of rights would clear it.
    _die_with(int(os.environ[PARENT]))
    _bind_children()


def lower(which: int, most: int) -> None:
    """Lower a limit of this process and its children for good."""
    _, hard = resource.getrlimit(which)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (most, most))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends; end at once if it already has."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _bind_children() -> None:
    """Have every process that is forked from here on die with the one that forked it."""
    this = os.getpid()

    def bind() -> None:
        nonlocal this
        parent, this = this, os.getpid()
        _die_with(parent)

    os.register_at_fork(after_in_child=bind)


def _leave_the_network() -> None:
    """Move to a network of our own that leads nowhere; where the kernel forbids that, refuse addresses."""
    user, group = os.getuid(), os.getgid()
    if sys.platform == "linux":
        if _libc().unshare(_CLONE_NEWNET) == 0:
            return
        if _libc().unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
            # Or this process would be nobody to itself, which does little harm.
            with suppress(OSError):
                Path("/proc/self/setgroups").write_text("deny")
                Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
                Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
            return
    sys.addaudithook(refuse_the_network)


def refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook that lets Python's sockets reach this machine alone.

    Raises:
        PermissionError: the address is elsewhere.
    """
    if event in _REACHING:
        address = arguments[1]
        elsewhere = isinstance(address, tuple) and address[0] not in _HERE
    else:
        elsewhere = event in _ASKING and arguments[0] not in _HERE
    if elsewhere:
        raise PermissionError(errno.EACCES, f"A training run has no network: {event} was refused.")
