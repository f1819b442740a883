"""Holding a job while its run works."""

import threading
import time
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from services import metrics
from services.db import reading, transaction
from services.jobs import queue, workers
from services.jobs.errors import LeaseLost
from services.jobs.queue import HEARTBEAT, LEASE, Claimed, Wish
from services.worker.trouble import Trouble

# Time to end the run before anybody else may claim the job.
_MARGIN_SECONDS = 2 * HEARTBEAT.total_seconds()
# How soon a wish of the customer is known here.
_LOOK_SECONDS = 1.0


class Lease:
    """Renews a claim from a thread of its own, and learns there what the customer wishes.

    Where renewals fail, `lost` turns true by this process's own monotonic clock, before the lease ends for
    the database: the run is then killed while the job is still surely ours.
    """

    def __init__(self, claimed: Claimed, *, worker_id: str) -> None:
        self._claimed = claimed
        self._worker_id = worker_id
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._wish = Wish(cancel=False, stop=False)
        self._renewed = time.monotonic()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{claimed.job_id}", daemon=True)

    @property
    def lost(self) -> bool:
        """May another worker have the job, now or soon?"""
        return (
            self._lost.is_set() or time.monotonic() > self._renewed + LEASE.total_seconds() - _MARGIN_SECONDS
        )

    @property
    def wish(self) -> Wish:
        """What the customer asked for, as far as we know."""
        return self._wish

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        trouble = Trouble(f"for the lease of {self._claimed.job_id}")
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                if time.monotonic() < self._renewed + HEARTBEAT.total_seconds():
                    self._look()
                else:
                    self._renew()
            except LeaseLost:
                self._lost.set()
                return
            except SQLAlchemyError:
                trouble.tell()
            else:
                trouble.over()

    def _look(self) -> None:
        with reading() as session:
            self._wish = queue.wish(session, self._claimed)

    def _renew(self) -> None:
        asked = time.monotonic()
        with transaction() as session:
            self._wish = queue.renew(session, self._claimed)
            workers.seen(session, self._worker_id)
        # The lease counts from when we asked, not from when the answer came.
        self._renewed = asked
        metrics.renewed()
