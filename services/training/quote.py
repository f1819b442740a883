"""How long a run will take, before it starts. Pure; no torch."""

from collections.abc import Mapping, Sequence
from math import ceil

from services.training import catalogue, chat_quote
from services.training.chat_quote import Estimate
from services.training.recipe import Preset, Recipe, Task, defaults, enough
from services.training.speed import SHIPPED, Speed

# Of the default base model, whose speed is known.
_DEFAULT_PARAMETERS = 22_700_000
# Of English letters as of tweets with names and addresses in them; and the two marks around every row.
_CHARACTERS_PER_TOKEN = 3.5
_MARKS_PER_ROW = 2
# Looks at all training rows until the heads are fitted: five strengths, the one that is published, those out
# of fold and those of the learning curve. The baselines of the report: seconds per row.
_LOOKS = 500
_BASELINE_SECONDS = 2.0e-4
# The same of words with tags, on the inner layer that token_study looks at.
_WORD_LOOKS = 115
# The base model is loaded, and the model written.
_FILES_SECONDS = 2.0
# Of several labels each has baselines of its own, and of pairs a head has four times as many features.
_FITS = {Task.multi_label: 2, Task.pair_classification: 4, Task.regression: 4}
# A pass with words to guess beside one with labels: their vocabulary makes a large output.
_FAMILIARISING = 1.5
# By shipped figures: a processor with bfloat16 instructions needs less than half, one that is shared twice as
# long. A device that was measured differs by its load alone. What is beyond the high figure is never billed.
_SHIPPED_RANGE, _MEASURED_RANGE = (0.35, 2.0), (0.6, 1.7)
_HIGH_EXTRA_SECONDS = 10.0


def estimate(
    recipe: Recipe,
    *,
    splits: Mapping[str, int],
    characters: int,
    labels: int,
    device_class: str,
    speeds: Sequence[Speed] = (),
) -> Estimate:
    """What a run takes on data with so many rows per split, characters in all, and labels.

    `device_class` is cpu or cuda; `speeds` are those of the devices that may get the run, as their workers
    have measured them: the low figure is the quickest one's, the high figure the slowest one's. Without any,
    the figures that we ship count. Tokens are counted from characters; a text is cut at the recipe's length.
    """
    if recipe.task is Task.chat:
        return chat_quote.estimate(recipe, splits=splits, characters=characters, device_class=device_class)
    low, high = _MEASURED_RANGE if speeds else _SHIPPED_RANGE
    seconds = [
        _seconds(recipe, speed, splits=splits, characters=characters, labels=labels)
        for speed in speeds or [SHIPPED[device_class]]
    ]
    # A search takes its seconds and no more, however quick the machine is.
    fixed = recipe.search_seconds or 0
    return Estimate(ceil(min(seconds) * low) + fixed, ceil(max(seconds) * high + _HIGH_EXTRA_SECONDS) + fixed)


def _seconds(
    recipe: Recipe, speed: Speed, *, splits: Mapping[str, int], characters: int, labels: int
) -> float:
    rows = max(1, sum(splits.values()))
    per_row = characters / rows / _CHARACTERS_PER_TOKEN + _MARKS_PER_ROW
    # Sentences with entities are read to their end, in pieces.
    frozen_first = recipe.task is not Task.token_classification
    if frozen_first:
        per_row = min(recipe.hyperparameters.max_length, per_row)
    size = max(1.0, catalogue.get(recipe.base_model).parameters / _DEFAULT_PARAMETERS)
    train, validation = splits.get("train", 0), splits.get("validation", 0)

    def read(count: int) -> float:
        return count * per_row * size / speed.read

    epoch = train * per_row * size / speed.trained + read(validation)
    seconds = (
        speed.start_seconds
        + _FILES_SECONDS
        + rows * _BASELINE_SECONDS
        + read(splits.get("test", 0))
        + (_epochs(recipe, train) + _FAMILIARISING * recipe.familiarising_epochs) * epoch
    )
    if frozen_first:
        fits = _FITS.get(recipe.task, 1) * max(1, labels)
        seconds += read(train + validation) + train * fits * _LOOKS * speed.fitted
    elif recipe.preset is not Preset.custom:
        fits = 2 * labels + 1
        seconds += read(train + splits.get("test", 0)) + train * per_row * fits * _WORD_LOOKS * speed.fitted
    return seconds


def _epochs(recipe: Recipe, rows: int) -> int:
    """Passes over the training rows, if no early stop ends them."""
    settings = recipe.hyperparameters
    if recipe.search_seconds:
        return 0
    if recipe.preset is Preset.few_shot:
        # On two halves, and then on all.
        return 2 * settings.epochs
    if recipe.task is not Task.token_classification:
        return 0 if recipe.preset is Preset.quick else settings.epochs
    if recipe.preset is Preset.custom:
        return settings.epochs
    own = enough(settings, rows).epochs
    if recipe.preset is Preset.quick:
        return own
    # Best goes on from what Quick has trained.
    return own + enough(defaults(Preset.quick, recipe.task), rows).epochs
