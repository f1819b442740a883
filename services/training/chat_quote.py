"""How long a chat run will take, before it starts. Pure; no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from services.training import catalogue, chat_plan
from services.training.recipe import Preset, Recipe

# Tokens per second of SmolLM2-135M: trained on, read without gradients, and written, several answers at a
# time. For cpu seen on two busy cores with bfloat16; for cuda assumed, far below what a data-centre GPU does.
_TRAINED_PER_SECOND = {"cpu": 450.0, "cuda": 12_000.0}
_READ_PER_SECOND = {"cpu": 1_500.0, "cuda": 60_000.0}
_WRITTEN_PER_SECOND = {"cpu": 120.0, "cuda": 1_500.0}
_MEASURED_PARAMETERS = 134_515_008
_CHARACTERS_PER_TOKEN = 3.5
# A system's turn and the marks around three turns.
_MARKS_PER_CONVERSATION = 40
# Twelve looks at the validation split for each stage, and the test split read by each model and by the base.
_LOOKS = 12
# Python, libraries and base model; and the artefact, which holds the whole model.
_START_SECONDS = 15.0
_LOW, _HIGH, _HIGH_EXTRA_SECONDS = 0.35, 2.0, 20.0


@dataclass(frozen=True)
class Estimate:
    """Device-seconds of a run, between two figures."""

    seconds_low: int
    seconds_high: int


def estimate(recipe: Recipe, *, splits: Mapping[str, int], characters: int, device_class: str) -> Estimate:
    """What a run takes on so many conversations per split, with so many characters in all."""
    rows = max(1, sum(splits.values()))
    per_row = characters / rows / _CHARACTERS_PER_TOKEN + _MARKS_PER_CONVERSATION
    per_row = min(recipe.hyperparameters.max_length, per_row)
    size = catalogue.get(recipe.base_model).parameters / _MEASURED_PARAMETERS

    stages = 2 if recipe.preset is Preset.best else 1
    validated = min(splits.get("validation", 0), chat_plan.VALIDATED) * _LOOKS * stages
    test = splits.get("test", 0)
    answers = 2 * min(test, chat_plan.answered(recipe.preset))
    # The first of two models is judged as well, beside the same base.
    answers += min(test, chat_plan.answered(Preset.quick)) * (stages - 1)
    written = answers * chat_plan.ANSWER_TOKENS
    seconds = _START_SECONDS + size * (
        chat_plan.trained_tokens(recipe, splits.get("train", 0) * per_row) / _TRAINED_PER_SECOND[device_class]
        + (validated + (1 + stages) * test) * per_row / _READ_PER_SECOND[device_class]
        + written / _WRITTEN_PER_SECOND[device_class]
    )
    return Estimate(ceil(seconds * _LOW), ceil(seconds * _HIGH + _HIGH_EXTRA_SECONDS))
