"""Holding a job while its run works."""

import logging
import threading
import time
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from services.db import transaction
from services.jobs import queue, workers
from services.jobs.errors import LeaseLost
from services.jobs.queue import HEARTBEAT, LEASE, Claimed

log = logging.getLogger(__name__)

# Time to end the run before anybody else may claim the job.
_MARGIN_SECONDS = 2 * HEARTBEAT.total_seconds()


class Lease:
    """Renews a claim from a thread of its own, and learns there whether the customer cancelled.

    Where renewals fail, `lost` turns true by this process's own monotonic clock, before the lease ends for
    the database: the run is then killed while the job is still surely ours.
    """

    def __init__(self, claimed: Claimed, *, worker_id: str) -> None:
        self._claimed = claimed
        self._worker_id = worker_id
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._cancelled = threading.Event()
        self._renewed = time.monotonic()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{claimed.job_id}", daemon=True)

    @property
    def lost(self) -> bool:
        """May another worker have the job, now or soon?"""
        return (
            self._lost.is_set() or time.monotonic() > self._renewed + LEASE.total_seconds() - _MARGIN_SECONDS
        )

    @property
    def cancelled(self) -> bool:
        """Did the customer ask to stop?"""
        return self._cancelled.is_set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT.total_seconds()):
            asked = time.monotonic()
            try:
                with transaction() as session:
                    if queue.renew(session, self._claimed):
                        self._cancelled.set()
                    workers.seen(session, self._worker_id)
            except LeaseLost:
                self._lost.set()
                return
            except SQLAlchemyError:
                log.exception("could not renew the lease of %s", self._claimed.job_id)
            else:
                # The lease counts from when we asked, not from when the answer came.
                self._renewed = asked
