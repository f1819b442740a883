"""Does a loss run away? Told from the losses so far alone, so a resumed run judges as a whole one. Pure."""

from collections.abc import Sequence
from statistics import median

# Points at the start that say what the loss was, and points at the end that say what became of it.
_EARLY, _LATE = 5, 10
# A run diverges where every late point is above so many times the early loss, and by so much: in nats, or in
# squared standard deviations of a score. A loss that starts near zero may well double without harm.
_TIMES, _RISE = 2.0, 0.5
# And where the later half of those is no longer well below the earlier: warm-up lifts a loss that comes back.
_COMING_BACK = 0.95


def diverges(losses: Sequence[float]) -> bool:
    """Whether the logged losses of a stage, in their order, have risen far above where they began and stay.

    A model that knows nothing has about the loss it began with, or that of guessing; one that is above twice
    of that for ten points in a row has been driven away from what it knew, and does not find back.
    """
    if len(losses) < _EARLY + _LATE:
        return False
    early, late = median(losses[:_EARLY]), losses[-_LATE:]
    if min(late) <= max(_TIMES * early, early + _RISE):
        return False
    half = _LATE // 2
    return median(late[half:]) >= _COMING_BACK * median(late[:half])
