"""How long a run will take, before it starts. Pure; no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from services.training.bases import catalogue
from services.training.quoting import chat_quote
from services.training.quoting.lengths import Amount
from services.training.quoting.speed import SHIPPED, SHIPPED_CHAT, Speed
from services.training.recipe import (
    DEFAULT_BASE_MODEL,
    DEPTH_FOR_WORDS,
    SHARES_BETWEEN,
    Preset,
    Recipe,
    Task,
    enough,
)

# Looks at all training rows until the heads are fitted: five strengths, the one that is published, those out
# of fold and those of the learning curve. The baselines of the report: seconds per row.
_LOOKS = 500
_BASELINE_SECONDS = 2.0e-4
# The same of tokens with tags; so much is read for each word that it takes as long as a dozen tags more.
_WORD_LOOKS, _WORD_FITS = 800, 12
# The base model is loaded, and the model written.
_FILES_SECONDS = 2.0
# Of several labels single words are fitted beside each head, also out of fold and for the learning curve: on
# 4,000 rows of GoEmotions 6 on one core, and a second core helps less than with heads. Of pairs a head has
# four times as many features.
_FITS = {Task.multi_label: 8, Task.pair_classification: 4, Task.regression: 4}
# Few-shot learns from the rows of validation as well, twice by halves and once from all, and each time from
# the labels' names, of half a dozen tokens.
_NAMES_EACH = 9
# A pass with words to guess beside one with labels: their vocabulary makes a large output.
_FAMILIARISING = 1.5
# By shipped figures: a processor with bfloat16 instructions needs less than half, one that is shared twice as
# long. A device that was measured differs by its load alone. What is beyond the high figure is never billed.
_SHIPPED_RANGE, _MEASURED_RANGE = (0.35, 2.0), (0.6, 1.7)
_HIGH_EXTRA_SECONDS = 10.0


@dataclass(frozen=True)
class Estimate:
    """Device-seconds of a run, between two figures."""

    seconds_low: int
    seconds_high: int


def estimate(
    recipe: Recipe,
    *,
    amounts: Mapping[str, Amount],
    labels: int,
    device_class: str,
    speeds: Sequence[Speed] = (),
    familiar: Mapping[str, Amount] | None = None,
) -> Estimate:
    """What a run takes on data with so much to read per split, and so many labels.

    `device_class` is cpu or cuda; `speeds` are those of the devices that may get the run, as their workers
    have measured them: the low figure is the quickest one's, the high figure the slowest one's. Without any,
    the figures that we ship count. `familiar` is what there is to read of another data set that the base
    model gets used to first. Another base model than the default takes as much longer as its layers are
    larger; wide layers compute somewhat quicker than that, which the range covers.
    """
    low, high = _MEASURED_RANGE if speeds else _SHIPPED_RANGE
    seconds = [
        chat_quote.seconds(recipe, speed.chat or SHIPPED_CHAT[device_class], amounts)
        if recipe.task is Task.chat
        else _seconds(recipe, speed, amounts, labels, familiar)
        for speed in speeds or [SHIPPED[device_class]]
    ]
    # A search takes its seconds and no more, however quick the machine is.
    fixed = recipe.search_seconds or 0
    return Estimate(ceil(min(seconds) * low) + fixed, ceil(max(seconds) * high + _HIGH_EXTRA_SECONDS) + fixed)


def _seconds(
    recipe: Recipe,
    speed: Speed,
    amounts: Mapping[str, Amount],
    labels: int,
    familiar: Mapping[str, Amount] | None,
) -> float:
    # Sentences with entities are read to their end, in pieces.
    words = recipe.task is Task.token_classification
    length = None if words else recipe.hyperparameters.max_length
    size = catalogue.get(recipe.base_model).computed / catalogue.get(DEFAULT_BASE_MODEL).computed
    if words:
        size *= DEPTH_FOR_WORDS
    rows = {split: amount.rows.rows for split, amount in amounts.items()}

    def read(*splits: str, once: bool = False) -> float:
        found = (amounts.get(split, Amount()) for split in splits)
        return sum((one.read_once if once else one.rows).cut(length) for one in found) * size / speed.read

    trained_on = amounts.get("train", Amount()).rows.cut(length)
    if recipe.preset is Preset.few_shot:
        trained_on += amounts.get("validation", Amount()).rows.cut(length) + _NAMES_EACH * labels
    epoch = trained_on * size / speed.trained + read("validation")
    epochs = _epochs(recipe, rows.get("train", 0))
    pass_before = epoch
    if familiar is not None:
        others = recipe.hyperparameters.max_length
        pass_before = sum(one.rows.cut(others) for one in familiar.values()) * size / speed.trained
    seconds = (
        speed.start_seconds
        + _FILES_SECONDS
        + sum(rows.values()) * _BASELINE_SECONDS
        + epochs * epoch
        + _FAMILIARISING * recipe.familiarising_epochs * pass_before
    )
    if epochs or recipe.search_seconds:
        # What was trained answers all that is checked.
        seconds += read("validation", "test")
    if recipe.preset is Preset.best and recipe.task is Task.text_classification:
        # Asked between Quick's weights and the tuned ones, and of these.
        seconds += (1 + len(SHARES_BETWEEN)) * read("validation")
    seconds += read("train", "validation", "test", once=True)
    if words:
        fits = 2 * labels + 1 + _WORD_FITS
        return seconds + trained_on * fits * _WORD_LOOKS * speed.fitted
    fits = _FITS.get(recipe.task, 1) * max(1, labels)
    return seconds + rows.get("train", 0) * fits * _LOOKS * speed.fitted


def _epochs(recipe: Recipe, rows: int) -> int:
    """Passes over the training rows, if no early stop ends them."""
    settings = recipe.hyperparameters
    if recipe.search_seconds:
        return 0
    if recipe.preset is Preset.few_shot:
        # On two halves, and then on all.
        return 2 * settings.epochs
    if recipe.preset is Preset.quick:
        return 0
    brief = recipe.task is Task.token_classification and recipe.preset is not Preset.custom
    return (enough(settings, rows) if brief else settings).epochs
