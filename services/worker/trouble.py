"""A database that does not answer: waited out, and told of without filling the log."""

import logging
import threading
import time

# Long enough not to fill the log, short enough not to be missed.
WAIT_SECONDS = 5.0
_TOLD_EVERY_SECONDS = 60.0

log = logging.getLogger(__name__)


class Trouble:
    """What one thread knows of the database's trouble."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._told: float | None = None

    def tell(self) -> None:
        """Log the exception at hand, once a minute at most."""
        if self._told is None or time.monotonic() - self._told > _TOLD_EVERY_SECONDS:
            self._told = time.monotonic()
            log.exception("the database does not answer %s; trying again", self._who)

    def over(self) -> None:
        """Note that it answers again."""
        if self._told is not None:
            self._told = None
            log.info("the database answers %s again", self._who)

    def wait(self, stop: threading.Event) -> None:
        """Tell, and let some time go by."""
        self.tell()
        stop.wait(WAIT_SECONDS)
