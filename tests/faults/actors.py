"""Worker processes for the fault tests: the real worker in haste, its runs stubbed, its deeds told.

Started once as `python -m tests.faults.actors`, which loads the product; then a line of options on its
standard input forks a worker in milliseconds, and `{"wait": pid}` answers how that one ended.
"""

import json
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from services import clock, db
from services.config import settings
from services.jobs import chores as chore_leases
from services.jobs import queue, retries
from services.jobs.queue import Claimed
from tests.faults.clocks import wrong_by
from tests.faults.history import Deed, Diary

# All times of the worker are divided by this; the clock seam cannot do it, for threads wait in real seconds.
HASTE = 10


@dataclass(frozen=True)
class Options:
    """What one worker process is told."""

    # TUNEPORT_… variables.
    environment: dict[str, str]
    diary: str
    # Runs in place of Python when the worker starts a training run.
    interpreter: str
    # Seconds that the product's clock is ahead of the host's, as a test has moved its own.
    offset: float = 0.0
    # Seconds that this process's clock is wrong, though the database's is right.
    skew: float = 0.0
    # The crash point at which the process kills itself: the n-th from its first look for a job on.
    crash_at: int | None = None
    # The largest file that the process may write, in bytes.
    file_limit: int | None = None
    # Stop after this many jobs.
    jobs: int | None = None


def hasten() -> None:
    """Shorten leases, beats and waits in proportion; before the worker's modules load, which copy them."""
    for module, names in {
        queue: ("LEASE", "HEARTBEAT", "SWEEP"),
        retries: ("FIRST_WAIT", "LONGEST_WAIT"),
        chore_leases: ("LEASE",),
    }.items():
        _divide(module, *names)
    from services.worker import attempt, chores, lease, loop, trouble

    _divide(attempt, "LOOK_SECONDS")
    _divide(chores, "LOOK_SECONDS")
    _divide(lease, "_LOOK_SECONDS")
    _divide(loop, "POLL_SECONDS")
    _divide(trouble, "WAIT_SECONDS")


def _divide(module: Any, *names: str) -> None:
    for name in names:
        setattr(module, name, getattr(module, name) / HASTE)


def work(options: Options) -> None:
    """Be a worker until told to stop, killed, or done with so many jobs."""
    from services.training.bases import catalogue
    from services.training.quoting import device
    from services.worker import loop

    os.environ.update(options.environment)
    settings.cache_clear()
    clock.move(timedelta(seconds=options.offset))
    clock.datetime = wrong_by(timedelta(seconds=options.skew))
    # Neither torch nor weights are under test.
    device.find = lambda: device.Device("cpu", "stub")
    catalogue.resolve = lambda base_model, cache: cache
    sys.executable = options.interpreter

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    _tell(Diary(Path(options.diary)), stop, options.jobs)
    if options.crash_at is not None:
        Fuse(options.crash_at, settings().home)
    if options.file_limit is not None:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_limit, most))
    while not stop.is_set():
        try:
            loop.run(stop)
        except DBAPIError:
            # As whatever supervises the process would start it anew.
            stop.wait(loop.POLL_SECONDS)


_DEEDS = {
    "renew": "renewed",
    "report": "reported",
    "finish": "finished",
    "fail": "failed",
    "retry": "retried",
    "release": "released",
    "end_cancelled": "ended",
}
_LAST_DEEDS = {"finished", "failed", "retried", "released", "ended"}


def _tell(diary: Diary, stop: threading.Event, jobs: int | None) -> None:
    """Write what this process does with the queue into its diary, before and after each commit."""
    done = 0

    def ask(session: Session) -> None:
        told = session.info.pop("deeds", [])
        session.info["asked"] = [(deed, diary.ask(deed)) for deed in told]

    def ack(session: Session) -> None:
        nonlocal done
        for deed, number in session.info.pop("asked", []):
            diary.ack(number)
            done += deed.what in _LAST_DEEDS
        if jobs is not None and done >= jobs:
            stop.set()

    event.listen(Session, "before_commit", ask)
    event.listen(Session, "after_commit", ack)
    for name, what in _DEEDS.items():
        setattr(queue, name, _telling(what, getattr(queue, name)))
    take = queue.take

    def taken(*arguments: Any, **named: Any) -> Claimed | None:
        # Committed with the question itself, so that there is no moment between the two to tell of.
        if claimed := take(*arguments, **named):
            diary.ask(_deed("claimed", claimed))
        return claimed

    queue.take = taken


def _telling(what: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def told(session: Session, claimed: Claimed, *arguments: Any, **named: Any) -> Any:
        result = function(session, claimed, *arguments, **named)
        session.info.setdefault("deeds", []).append(_deed(what, claimed))
        return result

    return told


def _deed(what: str, claimed: Claimed) -> Deed:
    return Deed(what, claimed.job_id, claimed.tenant_id, claimed.token)


class Fuse:
    """Kills this process at its n-th crash point.

    A crash point is the moment before and after every statement and every commit, and the moment before a
    file below the home folder is opened to be written; those of the main thread count, from its first look
    for a job on.
    """

    def __init__(self, points: int, home: Path) -> None:
        self._left = points
        self._home = str(home)
        self._lit = False
        take = queue.take

        def light(*arguments: Any, **named: Any) -> Any:
            self._lit = True
            return take(*arguments, **named)

        queue.take = light
        ask = db.ask_driver

        def told(*arguments: Any) -> Any:
            self._burn()
            answer = ask(*arguments)
            self._burn()
            return answer

        db.ask_driver = told
        event.listen(Engine, "before_cursor_execute", self._burn)
        event.listen(Engine, "after_cursor_execute", self._burn)
        event.listen(Engine, "commit", self._burn)
        event.listen(Session, "after_commit", self._burn)
        sys.addaudithook(self._look)

    def _burn(self, *_: object) -> None:
        if not self._lit or threading.current_thread() is not threading.main_thread():
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def _look(self, what: str, arguments: tuple[Any, ...]) -> None:
        if what != "open" or not str(arguments[0]).startswith(self._home):
            return
        if set(arguments[1] or "") & set("wax"):
            self._burn()


def _fork(options: Options) -> int:
    if child := os.fork():
        return child
    status = 1
    try:
        log = os.open(f"{options.diary}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(threadName)s %(message)s")
        work(options)
        status = 0
    except BaseException:
        logging.exception("the worker broke")
    finally:
        os._exit(status)


def main() -> None:
    """Fork a worker for each line of options, until there are no more lines; then end them all."""
    hasten()
    alive: set[int] = set()
    while line := sys.stdin.readline():
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            alive.discard(order["wait"])
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = _fork(Options(**order))
            alive.add(answer)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
    for pid in alive:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
