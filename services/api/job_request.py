"""What a request for a fine-tuning job may say, and the recipe that it means."""

import re
from pathlib import PurePath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.api.refusals import BadRequest, from_validation
from services.api.shapes import Text
from services.datasets.formats import Format
from services.datasets.preview import guess
from services.datasets.sandbox import Content
from services.datasets.split import Split
from services.training.bases import catalogue
from services.training.recipe import Hyperparameters, LoraTargets, Preset, Recipe, Task, defaults

Auto = Literal["auto"]
_NAME_CHARACTERS = 60
_THEIR_NAMES = {"epochs": "n_epochs"}


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tuning(_Request):
    """Hyperparameters by the `openai` client's names and ours; left out or "auto", they are the preset's."""

    n_epochs: int | Auto | None = None
    batch_size: int | Auto | None = None
    # Of the learning rate that Best has for the task; `learning_rate` sets it outright.
    learning_rate_multiplier: float | Auto | None = None
    learning_rate: float | None = None
    max_length: int | None = None
    patience: int | None = None
    weight_decay: float | None = None
    warmup_ratio: float | None = None
    layer_decay: float | None = None
    lora_rank: int | None = None
    lora_alpha: int | None = None
    lora_targets: LoraTargets | None = None

    def changes(self, task: Task) -> dict[str, Any]:
        """The hyperparameters that the request sets, by our names."""
        given = {name: value for name, value in self if value not in (None, "auto")}
        if "n_epochs" in given:
            given["epochs"] = given.pop("n_epochs")
        if "learning_rate_multiplier" in given:
            usual = defaults(Preset.custom, task).learning_rate
            given.setdefault("learning_rate", usual * given.pop("learning_rate_multiplier"))
        return given


class Supervised(_Request):
    """The hyperparameters of supervised training."""

    hyperparameters: Tuning = Tuning()


class Method(_Request):
    """How to train: from labelled examples, nothing else."""

    type: Literal["supervised"]
    supervised: Supervised = Supervised()


class Choices(_Request):
    """What the `openai` client has no argument for: sent as `extra_body`, or as strings in `metadata`."""

    task: Task | None = None
    preset: Preset | None = None
    text_column: Text | None = None
    label_column: Text | None = None
    model_name: Text | None = None


class NewJob(Choices):
    """A request for a fine-tuning job.

    `model` is a base model, `training_file` an uploaded file. `validation_file` and `test_file` are kept as
    given; what is left out is split off the training file.
    The result is called `model_name` or `suffix`, or like the file; it becomes the next version of a model
    that has this name. The task is taken from the data where it is not given.
    """

    model: Text = Field(examples=["all-MiniLM-L6-v2"])
    training_file: Text = Field(examples=["file_0192f5c1d2e37a40b1c2d3e4f5a6b7c8"])
    suffix: Text | None = Field(None, examples=["support-intents"])
    seed: int | None = Field(None, ge=0, lt=2**32)
    hyperparameters: Tuning = Tuning()
    # Passes over the training texts, without labels, before the task is learned.
    familiarising_epochs: int = Field(0, ge=0, le=20)
    # The data set version whose texts are read so; the training texts where it is left out.
    familiarising_on: Text | None = None
    # Of training, in which settings around these are tried; with the preset Custom alone.
    search_seconds: int | None = Field(None, ge=30, le=86_400)
    method: Method | None = None
    metadata: Choices | None = None
    validation_file: Text | None = None
    # The `openai` client has no argument for it: sent as `extra_body`.
    test_file: Text | None = None
    # Known to the client, and refused with the reason rather than ignored.
    integrations: list[Any] | None = None

    def refuse_what_is_not_offered(self) -> None:
        """Say no to what would otherwise be dropped in silence.

        Raises:
            BadRequest: the request asks for something that is not offered.
        """
        if self.integrations:
            raise BadRequest("There are no integrations; leave the field out.", param="integrations")

    @property
    def files(self) -> dict[Split, str]:
        """The ids of the uploaded files, by what they are for."""
        named = {
            Split.train: self.training_file,
            Split.validation: self.validation_file,
            Split.test: self.test_file,
        }
        return {split: file for split, file in named.items() if file is not None}

    @property
    def choices(self) -> Choices:
        """The request's own fields, and behind them its metadata's."""
        said = self.metadata or Choices()
        return Choices(**{name: getattr(self, name) or getattr(said, name) for name in Choices.model_fields})

    def name_of_model(self, filename: str) -> str:
        """The name that the trained model will have."""
        return self.choices.model_name or self.suffix or _name_from(filename)

    def format_of(self, content: Content) -> Format:
        """How the file is to be read: as it is found to be, with the columns that the request names.

        Raises:
            ServiceError: it cannot be read, or has no such columns, as `preview.guess` says.
        """
        choices = self.choices
        return guess(content, text_column=choices.text_column, label_column=choices.label_column).form

    def recipe(self, task: Task) -> Recipe:
        """What the run will do, for data of this task.

        Raises:
            BaseModelUnknown: the catalogue has no such base model.
            BadRequest: a hyperparameter is out of its bounds, or was given along with a preset of its own.
        """
        choices = self.choices
        task = choices.task or task
        tuning = self.method.supervised.hyperparameters if self.method else self.hyperparameters
        changes = tuning.changes(task)
        if changes and choices.preset not in {None, Preset.custom}:
            raise BadRequest(
                f"The preset “{choices.preset}” has its own hyperparameters. "
                "Leave them out, or leave the preset out to set your own.",
                param="hyperparameters",
            )
        custom = changes or (self.search_seconds and choices.preset is None)
        preset = Preset.custom if custom else choices.preset or Preset.quick
        usual = catalogue.defaults_for(self.model, preset, task)
        seed = {} if self.seed is None else {"seed": self.seed}
        return Recipe(
            task=task,
            base_model=self.model,
            preset=preset,
            hyperparameters=_bounded({**dict(usual), **changes}),
            familiarising_epochs=self.familiarising_epochs,
            familiarising_on=self.familiarising_on,
            search_seconds=self.search_seconds,
            **seed,
        )


def _bounded(values: dict[str, Any]) -> Hyperparameters:
    try:
        return Hyperparameters(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = _THEIR_NAMES.get(str(first["loc"][0]), first["loc"][0])
        raise from_validation([{**first, "loc": ("body", "hyperparameters", name)}]) from error


def _name_from(filename: str) -> str:
    stem = PurePath(filename).stem.lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:_NAME_CHARACTERS].strip("-") or "model"
