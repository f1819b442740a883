"""When a failed attempt is tried again. Pure."""

import random
from datetime import timedelta

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)


def back_off(attempt: int, chance: random.Random) -> timedelta:
    """How long to wait after attempt number `attempt` (1, 2, …) failed by our fault.

    Doubles from five seconds to ten minutes, times between one half and one by chance, so that jobs that
    failed together do not come back together.
    """
    doubled: timedelta = FIRST_WAIT * 2 ** min(attempt - 1, 16)
    return min(doubled, LONGEST_WAIT) * (0.5 + chance.random() / 2)
