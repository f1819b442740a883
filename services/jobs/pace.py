"""How long runs really take beside what was quoted for them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

# Run time ÷ the most that was quoted, after training/quoting/quote.py; outvoted once a handful of runs
# has finished.
_GUESSES = (0.2, 0.4, 0.8)
# No run takes no time, whatever a clock that was set back may say.
_LEAST = 0.01
# A run that has taken longer than any before it is expected to take this share longer still.
_OVERRUN = 0.25


@dataclass(frozen=True)
class Pace:
    """What recent runs took, as a share of the most that was quoted.

    `typical` has the median of each device class, `spread` how far single runs lay from it (1: on it).
    """

    typical: Mapping[str, float]
    spread: Sequence[float]

    def expected(self, quoted: float, device_class: str) -> float:
        """Seconds that a run will take for which at most `quoted` seconds were quoted."""
        return quoted * self.typical.get(device_class, median(_GUESSES))

    def left(self, expected: float, elapsed: float) -> list[float]:
        """Equally likely seconds that a run still takes, of which `elapsed` have gone by."""
        longer = [expected * factor - elapsed for factor in self.spread if expected * factor > elapsed]
        return longer or [elapsed * _OVERRUN]


def pace(history: Iterable[tuple[str, float]]) -> Pace:
    """The pace of recent runs, told as (device class, actual ÷ quoted); without any, that of the guesses."""
    ratios: dict[str, list[float]] = defaultdict(lambda: [*_GUESSES])
    for device_class, ratio in history:
        ratios[device_class].append(max(_LEAST, ratio))
    typical = {device_class: median(found) for device_class, found in ratios.items()}
    spread = [ratio / typical[device_class] for device_class, found in ratios.items() for ratio in found]
    return Pace(typical, spread or [guess / median(_GUESSES) for guess in _GUESSES])
