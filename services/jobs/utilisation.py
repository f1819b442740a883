"""What share of their time workers worked. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one worker's time."""

    worker_id: str
    start: datetime
    end: datetime

    def within(self, start: datetime, end: datetime) -> float:
        """Seconds of it that lie between two instants."""
        return max(0.0, (min(self.end, end) - max(self.start, start)).total_seconds())


def by_worker(
    busy: Iterable[Span], alive: Iterable[Span], *, start: datetime, end: datetime
) -> dict[str, float]:
    """Worker id -> share from 0 to 1 of its life between two instants in which it had a job."""
    lived, worked = _sums(alive, start, end), _sums(busy, start, end)
    return {
        worker_id: min(1.0, worked.get(worker_id, 0.0) / seconds)
        for worker_id, seconds in lived.items()
        if seconds
    }


def by_step(
    busy: Sequence[Span], alive: Sequence[Span], *, start: datetime, step: timedelta, steps: int
) -> list[float | None]:
    """The share of all workers' time for each step from `start` on; None where no worker was alive."""
    shares: list[float | None] = []
    for number in range(steps):
        begin = start + number * step
        lived = sum(span.within(begin, begin + step) for span in alive)
        worked = sum(span.within(begin, begin + step) for span in busy)
        shares.append(min(1.0, worked / lived) if lived else None)
    return shares


def _sums(spans: Iterable[Span], start: datetime, end: datetime) -> dict[str, float]:
    seconds: dict[str, float] = defaultdict(float)
    for span in spans:
        seconds[span.worker_id] += span.within(start, end)
    return seconds
