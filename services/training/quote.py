"""How long a run will take, before it starts. Pure; no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from services.training import catalogue
from services.training.recipe import Preset, Recipe, Task

# Sub-word tokens per second of the default base model, forward alone and with the way back, measured on two
# cores of a 2.8 GHz Xeon (bfloat16) and counted with caution for one data-centre GPU: see docs/benchmarks.md.
_READ_PER_SECOND = {"cpu": 9_000.0, "cuda": 300_000.0}
_TRAINED_PER_SECOND = {"cpu": 1_800.0, "cuda": 60_000.0}
_DEFAULT_PARAMETERS = 22_700_000
# English text as BERT's vocabulary cuts it, and the two marks around every row.
_CHARACTERS_PER_TOKEN = 4.0
_MARKS_PER_ROW = 2
_START_SECONDS = 6.0
# Fitting a linear head: seconds per training row and label. The baselines of the report: seconds per row.
_FIT_SECONDS = 1.0e-5
_BASELINE_SECONDS = 5.0e-4
# Machines differ and are shared; beyond the high figure nothing is billed, so it is the promise.
_LOW, _HIGH, _HIGH_EXTRA_SECONDS = 0.6, 3.0, 20.0


@dataclass(frozen=True)
class Estimate:
    """Device-seconds of a run, between two figures."""

    seconds_low: int
    seconds_high: int


def estimate(
    recipe: Recipe, *, splits: Mapping[str, int], characters: int, labels: int, device_class: str
) -> Estimate:
    """What a run takes on data with so many rows per split, characters in all, and labels.

    `device_class` is cpu or cuda. Tokens are counted from characters, each row cut at the recipe's length.
    """
    rows = max(1, sum(splits.values()))
    mean_tokens = min(
        recipe.hyperparameters.max_length, characters / rows / _CHARACTERS_PER_TOKEN + _MARKS_PER_ROW
    )
    size = max(1.0, catalogue.get(recipe.base_model).parameters / _DEFAULT_PARAMETERS)
    train_rows = splits.get("train", 0)
    held_out_rows = rows - train_rows

    seconds = _START_SECONDS + rows * _BASELINE_SECONDS
    if recipe.task is Task.text_classification:
        seconds += rows * mean_tokens * size / _READ_PER_SECOND[device_class]
        seconds += train_rows * labels * _FIT_SECONDS
    if recipe.task is not Task.text_classification or recipe.preset is not Preset.quick:
        trained = train_rows * mean_tokens * size / _TRAINED_PER_SECOND[device_class]
        read = held_out_rows * mean_tokens * size / _READ_PER_SECOND[device_class]
        seconds += recipe.hyperparameters.epochs * (trained + read)
    return Estimate(ceil(seconds * _LOW), ceil(seconds * _HIGH + _HIGH_EXTRA_SECONDS))
