"""The story of a run out of its events: phases, curves, notes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.verdict import METRIC_NAMES
from services.jobs.tables import JobEvent
from services.training.process.events import EventKind, Phase

# A smoothed curve is the mean over about one of so many stretches of it.
_STRETCHES = 10
# What stands before a class's name among an event's values, and what a run's gauge tells.
PREFIX = "class/"
DEVICE = ("cpu_percent", "memory_mb", "gpu_percent", "gpu_memory_mb")

PHASE_WORDS = {
    "loading": "Loading",
    "familiarising": "Getting used to your texts",
    "embedding": "Reading texts",
    "fitting": "Fitting",
    "publishing": "First model",
    "training": "Training",
    "evaluating": "Evaluating",
    "saving": "Saving",
}


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A phase of the latest attempt; it is still going on while `end` is None."""

    phase: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings that a search has tried: the validation score they reached, and how it ended."""

    number: int
    settings: dict[str, float]
    score: float
    evaluations: int
    how: str


@dataclass(frozen=True, slots=True)
class Story:
    """What a run told, in order; the curves hold (step, loss) and (epoch, score)."""

    phases: list[PhaseSpan]
    loss: list[tuple[int, float]]
    scores: list[tuple[float, float]]
    metric: str | None
    # Class -> its F1 on the validation split at each evaluation that told it, the worst class first.
    classes: dict[str, list[float]]
    rows_per_second: float | None
    learning_rate: float | None
    # What the run uses of its machine, by the names of the run's gauge.
    device: dict[str, float]
    # How far the present phase is, 0 to 1.
    done: float
    notes: list[tuple[datetime, str]]
    trials: list[Trial]


def story(events: Sequence[JobEvent], finished_at: datetime | None) -> Story:
    """The latest attempt's phases, curves and notes."""
    attempt = max((event.attempt for event in events), default=0)
    latest = [event for event in events if event.attempt == attempt]
    starts = [event for event in latest if event.kind == EventKind.phase]
    ends: list[datetime | None] = [event.at for event in starts[1:]]
    metrics = [event for event in events if event.kind == EventKind.metric]
    metric = next((name for event in metrics for name in METRIC_NAMES if name in event.values), None)
    return Story(
        phases=[
            PhaseSpan(event.phase, event.at, end)
            for event, end in zip(starts, [*ends, finished_at], strict=False)
        ],
        # A resumed attempt tells some steps again. What each strength of a fit comes to is no curve.
        loss=sorted(
            {
                event.step: event.values["loss"]
                for event in events
                if event.kind == EventKind.progress
                and event.phase != Phase.fitting
                and "loss" in event.values
            }.items()
        ),
        scores=sorted(
            {event.epoch: event.values[metric] for event in metrics if metric in event.values}.items()
        )
        if metric
        else [],
        metric=metric,
        classes=_classes(metrics),
        rows_per_second=_last(latest, "rows_per_second"),
        learning_rate=_last(latest, "learning_rate"),
        device={name: value for name in DEVICE if (value := _last(latest, name)) is not None},
        done=_done(latest),
        notes=[
            (event.at, event.message) for event in events if event.message and event.kind != EventKind.trial
        ],
        trials=_trials(events),
    )


def _trials(events: Sequence[JobEvent]) -> list[Trial]:
    """By number; a resumed attempt tells those that it has kept again."""
    found = {}
    for event in events:
        if event.kind == EventKind.trial:
            rest = dict(event.values)
            number, evaluations = int(rest.pop("trial")), int(rest.pop("evaluations"))
            score = next((rest.pop(name) for name in METRIC_NAMES if name in rest), 0.0)
            found[number] = Trial(number, rest, score, evaluations, event.message or "")
    return [found[number] for number in sorted(found)]


def smoothed(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Each point as an exponential mean of those before it, over a tenth of the curve."""
    newest = 2 / (max(1.0, len(points) / _STRETCHES) + 1)
    mean, weight, found = 0.0, 0.0, []
    for step, value in points:
        mean, weight = (1 - newest) * mean + newest * value, (1 - newest) * weight + newest
        found.append((step, mean / weight))
    return found


def _last(events: Sequence[JobEvent], name: str) -> float | None:
    return next((event.values[name] for event in reversed(events) if name in event.values), None)


def _classes(metrics: Sequence[JobEvent]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    # A resumed attempt tells some evaluations again.
    for event in {event.step: event for event in metrics}.values():
        for name, value in event.values.items():
            if name.startswith(PREFIX):
                found.setdefault(name.removeprefix(PREFIX), []).append(value)
    return dict(sorted(found.items(), key=lambda one: (one[1][-1], one[0])))


def _done(events: Sequence[JobEvent]) -> float:
    for event in reversed(events):
        if event.kind == EventKind.phase:
            break
        if event.kind == EventKind.progress and event.steps:
            return min(1.0, event.step / event.steps)
    return 0.0
