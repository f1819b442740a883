"""What a run says while it works: one JSON object per line of `events.jsonl`."""

from datetime import UTC, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class EventKind(StrEnum):
    """What an event tells."""

    phase = "phase"
    progress = "progress"
    metric = "metric"
    note = "note"
    trial = "trial"


class Phase(StrEnum):
    """The stretches of a run, in their order; a run may skip some."""

    loading = "loading"
    familiarising = "familiarising"
    embedding = "embedding"
    fitting = "fitting"
    # Of the Quick model, where training goes on from it.
    publishing = "publishing"
    training = "training"
    evaluating = "evaluating"
    saving = "saving"


class RunEvent(BaseModel):
    """One thing a run reports.

    `phase` opens a phase, `progress` moves `step` towards `steps` (optimiser steps, or rows when embedding or
    evaluating), `metric` carries a validation score, `note` a sentence for the
    customer, and `trial` settings that a search has tried, with what came of them.
    """

    model_config = ConfigDict(frozen=True)

    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    kind: EventKind
    phase: Phase
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    # loss, learning_rate, accuracy or f1, rows_per_second; `class/…`, the F1 of each class on the validation
    # rows; cpu_percent, memory_mb, gpu_percent and gpu_memory_mb
    values: dict[str, float] = Field(default_factory=dict)
    eta_seconds: float | None = None
    message: str | None = None
