"""What a training run is told to do: task, base model, preset, hyperparameters."""

from enum import StrEnum
from math import ceil
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.errors import Invalid

_FEWEST_STEPS = 150
# Rows of a label, and in all, below which Few-shot is recommended: of 77 labels with 16 rows each it is a
# point above Quick, with 32 no more, and of eight labels with 39 each four points.
FEW_ROWS_PER_LABEL, _FEW_ROWS = 50, 1_500
DEFAULT_BASE_MODEL = "all-MiniLM-L6-v2"
DEFAULT_CHAT_MODEL = "SmolLM2-135M-Instruct"


class Task(StrEnum):
    """What a model learns to do."""

    text_classification = "text-classification"
    token_classification = "token-classification"  # noqa: S105
    multi_label = "multi-label-classification"
    pair_classification = "pair-classification"
    regression = "regression"
    chat = "chat"
    # Nothing to predict: texts for a base model to get used to.
    unlabelled = "unlabelled-text"

    @property
    def trainable(self) -> bool:
        """Can a run learn this today? Data for the other tasks can be read, checked and kept."""
        return self in _PRESETS


class TaskNotTrainable(Invalid):
    """Data sets may be of this task, and no run learns it yet."""

    code = "task_not_trainable"

    def __init__(self, task: Task) -> None:
        super().__init__(
            f"Models for {task.value} cannot be trained yet. The data set is kept; "
            "choose one with labels, entities, scores or conversations to learn from."
        )
        self.task = task


class Preset(StrEnum):
    """How much work a run puts in."""

    quick = "quick"
    few_shot = "few-shot"
    best = "best"
    custom = "custom"


class PresetNotForTask(Invalid):
    """A preset that this task does not have."""

    code = "preset_not_for_task"

    def __init__(self, preset: Preset, task: Task) -> None:
        super().__init__(
            f"The preset “{preset.value}” is for one label for each text alone, not for {task.value}. "
            f"Choose one of {', '.join(one.value for one in presets(task))}."
        )


class SearchNotPossible(Invalid):
    """Settings are searched for where there are settings, and where trials are short."""

    code = "search_not_possible"

    def __init__(self, task: Task) -> None:
        super().__init__(
            "Settings are searched for with the preset “custom”, and with a task among "
            f"{', '.join(sorted(SEARCHED))}; this one is {task.value}. Leave the search out, or change these."
        )


class FamiliarisingNotPossible(Invalid):
    """Texts are named to get used to, and no passes over them, or a task that has none."""

    code = "familiarising_not_possible"

    def __init__(self) -> None:
        super().__init__(
            "A base model gets used to the texts of another data set in one pass or more, and not before it "
            "learns conversations. Set the passes, or leave the data set out."
        )


class LoraTargets(StrEnum):
    """Which layers of a large base get adapters."""

    attention = "attention"
    linear = "linear"  # those of the feed-forward parts, too


class Frozen(BaseModel):
    """A value that is compared, stored and passed on, never changed; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Hyperparameters(Frozen):
    """The settings of the optimiser; Quick uses `max_length` alone, unless it is of conversations."""

    epochs: int = Field(ge=1, le=100)
    learning_rate: float = Field(gt=0, le=0.1)
    # Rows per optimiser step.
    batch_size: int = Field(ge=1, le=512)
    # Sub-word tokens per row, special tokens included; the rest of a longer row is cut and counted.
    max_length: int = Field(ge=8, le=8192)
    # Evaluations without a better validation score before the run stops; 0 never stops early.
    patience: int = Field(ge=0, le=50)
    weight_decay: float = Field(ge=0, le=1)
    # Share of all steps over which the learning rate rises from zero.
    warmup_ratio: float = Field(ge=0, le=1)
    # What the learning rate is multiplied by from each layer of the base model to the one below it.
    layer_decay: float = Field(default=1.0, ge=0.5, le=1)
    # Of the low-rank adapters that a chat model learns: their rank, and the scale alpha / rank.
    lora_rank: int | None = Field(None, ge=1, le=256)
    lora_alpha: int | None = Field(None, ge=1, le=1024)
    lora_targets: LoraTargets | None = None


# Tasks whose settings can be searched for.
SEARCHED = frozenset({Task.text_classification, Task.multi_label, Task.pair_classification, Task.regression})
# The layers that a model for entities has, as a share of the base model's: of a word the layer two thirds up
# tells most. Heads on WNUT-17 have 43 % of F1 half way up, 46 % there and 39 % on the last layer.
DEPTH_FOR_WORDS = 2 / 3
# How far the points between lie, at which Best looks, from Quick's weights to the tuned ones.
SHARES_BETWEEN = (0.3, 0.5, 0.7, 0.85)
# Quick on frozen features: of these only `max_length` matters.
_FITTED = Hyperparameters(
    epochs=1,
    learning_rate=1e-3,
    batch_size=32,
    max_length=256,
    patience=0,
    weight_decay=0.0,
    warmup_ratio=0.0,
)
# Best from there: all weights but the embedding table.
_FINE_TUNED = Hyperparameters(
    epochs=3,
    learning_rate=1e-4,
    batch_size=64,
    max_length=256,
    patience=2,
    weight_decay=0.01,
    warmup_ratio=0.1,
    layer_decay=0.8,
)
# Best of one label ends between Quick's weights and its own, where a third pass is worth nothing more.
_FINE_TUNED_BRIEFLY = _FINE_TUNED.model_copy(update={"epochs": 2})
# Few-shot: texts of a label drawn together, twice on a half of the rows and then on all.
_DRAWN_TOGETHER = _FINE_TUNED.model_copy(update={"epochs": 10, "learning_rate": 2e-4, "patience": 0})
# From Quick's head, two passes at twice this rate are worse than one already.
_TAGGED = _FINE_TUNED.model_copy(update={"epochs": 4, "batch_size": 32})
# A row holds several conversations; the longest is as long as a row.
_CHATTED = Hyperparameters(
    epochs=4,
    learning_rate=5e-4,
    batch_size=4,
    max_length=1024,
    patience=2,
    weight_decay=0.0,
    warmup_ratio=0.1,
    lora_rank=16,
    lora_alpha=32,
    lora_targets=LoraTargets.linear,
)
_BRIEF_CHAT: dict[str, Any] = {"learning_rate": 1e-3, "max_length": 512, "lora_rank": 8, "lora_alpha": 16}
# Of each task: Quick, and Best.
_PRESETS = {
    Task.text_classification: (_FITTED, _FINE_TUNED_BRIEFLY),
    Task.multi_label: (_FITTED, _FINE_TUNED),
    Task.pair_classification: (_FITTED, _FINE_TUNED),
    Task.regression: (_FITTED, _FINE_TUNED),
    Task.token_classification: (_FITTED, _TAGGED),
    Task.chat: (_CHATTED.model_copy(update={"epochs": 1, "patience": 0, **_BRIEF_CHAT}), _CHATTED),
}


def defaults(preset: Preset, task: Task, *, reads: int | None = None) -> Hyperparameters:
    """The hyperparameters of a preset; Custom begins at those of Best.

    reads: the tokens of a row that the base model reads at most; None where it reads what all presets ask.

    Raises:
        TaskNotTrainable: no run learns the task yet.
        PresetNotForTask: the task does not have the preset.
    """
    if not task.trainable:
        raise TaskNotTrainable(task)
    if preset not in presets(task):
        raise PresetNotForTask(preset, task)
    quick, best = _PRESETS[task]
    settings = {Preset.quick: quick, Preset.few_shot: _DRAWN_TOGETHER}.get(preset, best)
    return settings.model_copy(update={"max_length": min(settings.max_length, reads or settings.max_length)})


def presets(task: Task) -> tuple[Preset, ...]:
    """The presets that a task has, in the order of their work."""
    return tuple(
        preset for preset in Preset if preset is not Preset.few_shot or task is Task.text_classification
    )


def recommended(task: Task, *, rows: int, labels: int) -> Preset | None:
    """The preset that so many labelled rows ask for; None where it is a question of time and price."""
    few = task is Task.text_classification and rows < min(_FEW_ROWS, FEW_ROWS_PER_LABEL * labels)
    return Preset.few_shot if few else None


def enough(settings: Hyperparameters, rows: int, *, fewest: int = _FEWEST_STEPS) -> Hyperparameters:
    """A preset's settings on so many rows: more epochs where these give less than so many optimiser steps.

    Where rows are few, a pass over them is a handful of steps, in which hardly anything is learnt.
    """
    per_epoch = max(1, ceil(rows / settings.batch_size))
    return settings.model_copy(update={"epochs": max(settings.epochs, ceil(fewest / per_epoch))})


def default_base_model(task: Task) -> str:
    """The base model that a recipe for a task starts from, unless it names another."""
    return DEFAULT_CHAT_MODEL if task is Task.chat else DEFAULT_BASE_MODEL


def _base_model_of(recipe: dict[str, Any]) -> str:
    return default_base_model(recipe["task"])


def _defaults_of(recipe: dict[str, Any]) -> Hyperparameters:
    return defaults(recipe["preset"], recipe["task"])


class Recipe(Frozen):
    """Everything that decides what a run does to its data."""

    task: Task
    # An id of the catalogue.
    base_model: str = Field(default_factory=_base_model_of)
    preset: Preset = Preset.quick
    hyperparameters: Hyperparameters = Field(default_factory=_defaults_of)
    seed: int = Field(default=42, ge=0, lt=2**32)
    # Passes over the training texts, without their labels, before the task is learned; not of chat.
    familiarising_epochs: int = Field(default=0, ge=0, le=20)
    # The data set version of the same workspace whose texts are read so; None reads the training texts.
    familiarising_on: str | None = Field(default=None, max_length=60)
    # Of training, in which Custom tries settings around its own; None trains once, with those.
    search_seconds: int | None = Field(default=None, ge=30, le=86_400)

    @model_validator(mode="after")
    def _may_read_others(self) -> Self:
        if self.familiarising_on and (not self.familiarising_epochs or self.task is Task.chat):
            raise FamiliarisingNotPossible
        return self

    @model_validator(mode="after")
    def _may_search(self) -> Self:
        if self.search_seconds and not (self.preset is Preset.custom and self.task in SEARCHED):
            raise SearchNotPossible(self.task)
        return self


class RunSpec(Frozen):
    """`spec.json` of a run folder."""

    recipe: Recipe
    # The folder that holds config, tokenizer and weights.
    base_model_path: Path
    # Sorted; the entity types, without `B-` and `I-`, where the task is token classification.
    labels: list[str]
    # sha256 over the data set version the splits come from.
    data_hash: str
