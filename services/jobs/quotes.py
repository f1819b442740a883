"""What was quoted for runs beside what they took, by preset and task. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Taken:
    """A run that came to its end: its job, what it was to do, and seconds quoted at most and taken."""

    job_id: str
    model: str
    tenant: str
    preset: str
    task: str
    quoted: int
    seconds: float

    @property
    def share(self) -> float:
        """Of the most that was quoted; beyond 1 the rest was not billed."""
        return self.seconds / max(1, self.quoted)


@dataclass(frozen=True, slots=True)
class Kept:
    """How the quotes of one preset and task were kept: `typical` is the median share of the most quoted."""

    preset: str
    task: str
    runs: int
    within: int
    typical: float
    worst: Taken


def kept(taken: Iterable[Taken]) -> list[Kept]:
    """By preset and task, the one with the worst run first."""
    groups: dict[tuple[str, str], list[Taken]] = defaultdict(list)
    for run in taken:
        groups[run.preset, run.task].append(run)
    found = [_kept(preset, task, runs) for (preset, task), runs in groups.items()]
    return sorted(found, key=lambda one: (-one.worst.share, one.preset, one.task))


def _kept(preset: str, task: str, runs: Sequence[Taken]) -> Kept:
    return Kept(
        preset=preset,
        task=task,
        runs=len(runs),
        within=sum(run.share <= 1 for run in runs),
        typical=median(run.share for run in runs),
        worst=max(runs, key=lambda run: run.share),
    )
