"""Measuring the device while a worker has nothing to do, once for its host, device and versions."""

import logging

from services.db import transaction
from services.jobs import workers
from services.training.quoting import device as devices
from services.training.quoting.device import Measuring

log = logging.getLogger(__name__)

# Turns without a job before it begins: a worker that starts beside a full queue has better things to do.
IDLE_TURNS = 3


class Measurement:
    """A worker's own; a job that comes meanwhile ends it, and it begins anew later."""

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id
        self._idle = 0
        self._done = False
        self._measuring: Measuring | None = None

    def go_on(self) -> None:
        """Begin, look whether it is over, or do nothing more; called at each turn without a job."""
        self._idle += 1
        if self._done or self._idle < IDLE_TURNS:
            return
        versions = devices.versions()
        if self._measuring is None:
            with transaction() as session:
                self._done = workers.take_over_speed(session, self._worker_id, versions=versions)
            if not self._done:
                self._measuring = Measuring()
            return
        try:
            speed = self._measuring.speed()
        except ValueError:
            log.warning("the device could not be measured; quotes count with the figures that we ship")
            self._done, self._measuring = True, None
            return
        if speed is not None:
            with transaction() as session:
                workers.measured(session, self._worker_id, speed, versions=versions)
            self._done, self._measuring = True, None
            log.info("measured the device: %s", speed)

    def give_way(self) -> None:
        """Leave the device to a job."""
        self._idle = 0
        if self._measuring is not None:
            self._measuring.give_way()
            self._measuring = None
