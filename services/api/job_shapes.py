"""Fine-tuning jobs and their events, as the `openai` client reads them."""

from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, Field

from services import clock
from services.api.shapes import unix
from services.jobs.forecast import Start
from services.jobs.tables import Job, JobEvent, JobState
from services.training.process.events import EventKind
from services.training.recipe import LoraTargets, Preset, Recipe, defaults


class JobFailure(BaseModel):
    """Why a job failed."""

    code: str
    message: str
    param: str | None = None


class JobTuning(BaseModel):
    """The hyperparameters that the run uses."""

    n_epochs: int
    batch_size: int
    # Of the learning rate that the preset Best has for the task.
    learning_rate_multiplier: float
    learning_rate: float
    max_length: int
    patience: int
    weight_decay: float
    warmup_ratio: float
    layer_decay: float
    # Of a chat model's adapters.
    lora_rank: int | None = None
    lora_alpha: int | None = None
    lora_targets: LoraTargets | None = None


class JobQuote(BaseModel):
    """Seconds and price, told before the start; nothing beyond the high figures is billed.

    Amounts are integer micro-units of `currency`; `charged` is what it came to, once the job is over.
    """

    seconds_low: int
    seconds_high: int
    low: int
    high: int
    charged: int | None
    currency: str


class FineTuningJob(BaseModel):
    """A fine-tuning job; `metadata` tells what the `openai` client has no field for."""

    id: str
    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    created_at: int
    finished_at: int | None
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    model: str = Field(description="The base model.")
    fine_tuned_model: str | None = Field(description="The name to predict with, once the job has succeeded.")
    training_file: str
    validation_file: None = None
    organization_id: str
    hyperparameters: JobTuning
    seed: int
    error: JobFailure | None
    estimated_start: int | None = Field(description="Of a waiting job; null where no worker will take it.")
    latest_start: int | None = Field(description="Nine of ten waiting jobs have started by then.")
    estimated_finish: int | None
    trained_tokens: int | None
    result_files: list[str] = []
    metadata: dict[str, str]
    quote: JobQuote
    phase: str | None = Field(description="What the run is doing.")
    progress: float = Field(description="From 0 to 1, within the present phase; 1 once it has succeeded.")


def job_shape(
    job: Job,
    *,
    training_file: str,
    currency: str,
    trained_tokens: int | None,
    start: Start | None,
    recommended: Preset | None,
) -> FineTuningJob:
    """A job as its customer's program sees it; `recommended` is the preset that its data asks for."""
    recipe = Recipe.model_validate(job.recipe)
    return FineTuningJob(
        id=job.id,
        created_at=unix(job.created_at),
        finished_at=None if job.finished_at is None else unix(job.finished_at),
        status=job.state.value,
        model=recipe.base_model,
        fine_tuned_model=job.model_name if job.state is JobState.succeeded else None,
        training_file=training_file,
        organization_id=job.tenant_id,
        hyperparameters=_tuning(recipe),
        seed=recipe.seed,
        error=JobFailure(code=job.failure_code or "failed", message=job.failure or "")
        if job.state is JobState.failed
        else None,
        estimated_start=None if start is None else _from_now(start.likely),
        latest_start=None if start is None else _from_now(start.late),
        estimated_finish=_estimated_finish(job),
        trained_tokens=trained_tokens,
        metadata={
            "task": recipe.task,
            "preset": recipe.preset,
            **({"recommended_preset": recommended} if recommended not in (None, recipe.preset) else {}),
            "model_name": job.model_name,
            "dataset_version": job.dataset_version_id,
            **({"model_version": job.model_version_id} if job.model_version_id else {}),
        },
        quote=JobQuote(
            seconds_low=job.quoted_seconds_low,
            seconds_high=job.quoted_seconds_high,
            low=job.quoted_low,
            high=job.quoted_high,
            charged=job.charged,
            currency=currency,
        ),
        phase=None if job.state.is_final else job.phase,
        progress=1.0 if job.state is JobState.succeeded else job.progress,
    )


def _tuning(recipe: Recipe) -> JobTuning:
    used = dict(recipe.hyperparameters)
    usual = defaults(Preset.custom, recipe.task).learning_rate
    return JobTuning(
        n_epochs=used.pop("epochs"), learning_rate_multiplier=used["learning_rate"] / usual, **used
    )


def _estimated_finish(job: Job) -> int | None:
    if job.state is not JobState.running or job.eta_seconds is None:
        return None
    return _from_now(job.eta_seconds)


def _from_now(seconds: float) -> int:
    return unix(clock.now() + timedelta(seconds=seconds))


class FineTuningEvent(BaseModel):
    """One thing that a run told."""

    id: str
    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    created_at: int
    level: Literal["info", "warn", "error"] = "info"
    message: str
    type: Literal["message", "metrics"]
    data: dict[str, Any]


def event_id(event: JobEvent) -> str:
    """What `after` names an event by: its job and its place in the job's story."""
    return f"{event.job_id}-{event.position}"


def event_shape(event: JobEvent) -> FineTuningEvent:
    """A run's word as its customer's program sees it."""
    measured = event.kind in {EventKind.metric, EventKind.progress, EventKind.trial}
    return FineTuningEvent(
        id=event_id(event),
        created_at=unix(event.at),
        message=_sentence(event),
        type="metrics" if measured else "message",
        data={
            "phase": event.phase,
            "step": event.step,
            "total_steps": event.steps,
            "epoch": event.epoch,
            **event.values,
        },
    )


def _sentence(event: JobEvent) -> str:
    if event.kind == EventKind.trial:
        return f"Settings {event.values['trial']:.0f} were tried: {event.message}"
    if event.message:
        return event.message
    figures = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in event.values.items())
    place = f"step {event.step} of {event.steps}" if event.steps else ""
    told = ", ".join(part for part in (place, figures) if part)
    return f"{event.phase.capitalize()}: {told}" if told else f"{event.phase.capitalize()} has begun"
