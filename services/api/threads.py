"""Where work runs that would hold up the event loop: threads for each kind, and a bound on what waits."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.errors import Unavailable

Result = TypeVar("Result")


class TooBusy(Unavailable):
    """More work waits in this process than can be done in good time."""

    code = "too_busy"

    def __init__(self) -> None:
        super().__init__("Too many requests are waiting right now. Try again in a few seconds.")


class Threads:
    """Some threads for one kind of work, of which at most `most` may be inside, waiting or being done."""

    def __init__(self, threads: int, *, most: int) -> None:
        self._pool = ThreadPoolExecutor(threads)
        self._most = most
        self._inside = 0

    async def run(self, work: Callable[[], Result], *, weight: int = 1) -> Result:
        """Do `work` in one of the threads.

        Raises:
            TooBusy: with its weight more would be inside than may be.
        """
        if self._inside and self._inside + weight > self._most:
            raise TooBusy
        self._inside += weight
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._inside -= weight


# A file is held whole, several times over while it is decoded and split: few at once bound the memory.
whole_files = Threads(3, most=60)
# They wait for the model far more than they compute; weighed in texts, of which a small machine answers a few
# hundred in a second.
predictions = Threads(64, most=5_000)
# Each waits for one answer's next words, and is inside only while it waits.
conversations = Threads(64, most=256)
