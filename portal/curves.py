"""The story of a run out of its events: phases, curves, notes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.verdict import METRIC_NAMES
from services.jobs.tables import JobEvent
from services.training.events import EventKind

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
    rows_per_second: float | None
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
    speeds = [event.values["rows_per_second"] for event in latest if "rows_per_second" in event.values]
    return Story(
        phases=[
            PhaseSpan(event.phase, event.at, end)
            for event, end in zip(starts, [*ends, finished_at], strict=False)
        ],
        # A resumed attempt tells some steps again.
        loss=sorted(
            {
                event.step: event.values["loss"]
                for event in events
                if event.kind == EventKind.progress and "loss" in event.values
            }.items()
        ),
        scores=sorted(
            {event.epoch: event.values[metric] for event in metrics if metric in event.values}.items()
        )
        if metric
        else [],
        metric=metric,
        rows_per_second=speeds[-1] if speeds else None,
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


def _done(events: Sequence[JobEvent]) -> float:
    for event in reversed(events):
        if event.kind == EventKind.phase:
            break
        if event.kind == EventKind.progress and event.steps:
            return min(1.0, event.step / event.steps)
    return 0.0
