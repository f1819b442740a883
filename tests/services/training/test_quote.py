from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.training.catalogue import ids
from services.training.quote import Estimate, estimate
from services.training.recipe import Preset, Recipe, Task, defaults, presets
from services.training.speed import SHIPPED, Speed, from_json

TEXTS, TOKENS = Task.text_classification, Task.token_classification
# Rows and characters of banking77 and WNUT-17.
BANKING = {"splits": {"train": 9003, "validation": 1000, "test": 3080}, "characters": 760_000, "labels": 77}
WNUT = {"splits": {"train": 3394, "validation": 1009, "test": 1287}, "characters": 520_000, "labels": 6}


def create_estimate(
    task: Task = TEXTS,
    preset: Preset = Preset.quick,
    *,
    device_class: str = "cpu",
    base_model: str = "all-MiniLM-L6-v2",
    splits: dict[str, int] = BANKING["splits"],  # type: ignore[assignment]
    characters: int = 760_000,
    labels: int = 77,
    speeds: Sequence[Speed] = (),
) -> Estimate:
    recipe = Recipe(task=task, preset=preset, base_model=base_model)
    return estimate(
        recipe,
        splits=splits,
        characters=characters,
        labels=labels,
        device_class=device_class,
        speeds=speeds,
    )


def test_the_range_holds_what_the_reference_machine_needed() -> None:
    # 21 s on two cores with bfloat16: 14 s reading, 7 s fitting.
    quick = create_estimate()
    # 290 s more for three epochs.
    best = create_estimate(preset=Preset.best)

    assert quick.seconds_low <= 21 <= quick.seconds_high
    assert best.seconds_low <= 21 + 290 / 3 * defaults(Preset.best, TEXTS).epochs <= best.seconds_high


def test_a_search_takes_its_seconds_in_either_case() -> None:
    plain = create_estimate(TEXTS)
    recipe = Recipe(task=TEXTS, preset=Preset.custom, search_seconds=300)

    searched = estimate(recipe, **BANKING, device_class="cpu")  # type: ignore[arg-type]

    assert searched.seconds_low == plain.seconds_low + 300
    assert searched.seconds_high == plain.seconds_high + 300


def test_few_shot_reads_its_rows_twice_as_often_as_it_has_epochs() -> None:
    few = {"train": 554, "validation": 62, "test": 3080}

    quick, best = (create_estimate(TEXTS, preset, splits=few) for preset in (Preset.quick, Preset.few_shot))

    assert quick.seconds_high < best.seconds_high < 10 * quick.seconds_high


@pytest.mark.parametrize("task", [task for task in Task if task.trainable and task is not Task.chat])
def test_best_takes_longer_than_quick_and_a_gpu_is_quicker(task: Task) -> None:
    quick, best = create_estimate(task), create_estimate(task, Preset.best)

    assert quick.seconds_high < best.seconds_high
    assert create_estimate(task, device_class="cuda").seconds_high < quick.seconds_high


def test_more_of_anything_takes_longer() -> None:
    usual = create_estimate()
    more_rows = {"train": 90_030, "validation": 10_000, "test": 30_800}

    assert create_estimate(characters=7_600_000, splits=more_rows).seconds_low > 5 * usual.seconds_low
    assert create_estimate(characters=2_000_000).seconds_high > usual.seconds_high
    assert create_estimate(labels=770).seconds_high > usual.seconds_high
    assert create_estimate(base_model="bert-base-uncased").seconds_high > 3 * usual.seconds_high


def test_long_texts_are_cut_and_long_sentences_are_not() -> None:
    long, longer = 9_000_000_000, 18_000_000_000

    assert create_estimate(characters=long) == create_estimate(characters=longer)
    assert create_estimate(TOKENS, characters=long) != create_estimate(TOKENS, characters=longer)


@pytest.mark.parametrize("base_model", ids())
@pytest.mark.parametrize("preset", presets(TOKENS))
@pytest.mark.parametrize("device_class", ["cpu", "cuda"])
def test_every_recipe_has_a_price_range(base_model: str, preset: Preset, device_class: str) -> None:
    nothing = create_estimate(
        TOKENS, preset, base_model=base_model, device_class=device_class, splits={}, characters=0
    )

    assert 0 < nothing.seconds_low < nothing.seconds_high


def test_a_measured_device_is_quoted_more_closely_and_by_its_own_speed() -> None:
    usual = SHIPPED["cpu"]
    quick = replace(usual, read=2 * usual.read, trained=2 * usual.trained, fitted=usual.fitted / 2)
    shipped, measured = create_estimate(), create_estimate(speeds=[usual])

    assert shipped.seconds_low < measured.seconds_low < measured.seconds_high < shipped.seconds_high
    assert create_estimate(speeds=[quick]).seconds_high < measured.seconds_high


def test_a_quote_counts_with_the_slowest_and_the_quickest_that_may_get_the_run() -> None:
    usual = SHIPPED["cpu"]
    slow = replace(usual, read=usual.read / 4, trained=usual.trained / 4)
    both = create_estimate(speeds=[usual, slow])

    assert both.seconds_low == create_estimate(speeds=[usual]).seconds_low
    assert both.seconds_high == create_estimate(speeds=[slow]).seconds_high


def test_a_speed_is_kept_whole() -> None:
    assert from_json(SHIPPED["cpu"].to_json()) == SHIPPED["cpu"]
