from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest

from services.training.bases.catalogue import get, ids
from services.training.quoting.lengths import Amount, guessed, lengths_of
from services.training.quoting.quote import Estimate, estimate
from services.training.quoting.speed import SHIPPED, SHIPPED_CHAT, Speed, from_json
from services.training.recipe import Preset, Recipe, Task, default_base_model, defaults, presets

TEXTS, TOKENS = Task.text_classification, Task.token_classification


class Size(NamedTuple):
    """Of a data set: rows by split, characters of all of them, and labels."""

    splits: dict[str, int]
    characters: int
    labels: int


BANKING = Size({"train": 9003, "validation": 1000, "test": 3080}, characters=760_000, labels=77)
WNUT = Size({"train": 3394, "validation": 1009, "test": 1287}, characters=520_000, labels=6)
GOEMOTIONS = Size({"train": 43_410, "validation": 5_426, "test": 5_427}, characters=3_700_000, labels=28)


def create_estimate(
    task: Task = TEXTS,
    preset: Preset = Preset.quick,
    *,
    device_class: str = "cpu",
    base_model: str = "",
    splits: dict[str, int] = BANKING.splits,
    characters: int = 760_000,
    labels: int = 77,
    amounts: dict[str, Amount] | None = None,
    speeds: Sequence[Speed] = (),
) -> Estimate:
    return estimate(
        Recipe(task=task, preset=preset, base_model=base_model or default_base_model(task)),
        amounts=amounts or guessed(splits, characters, chat=task is Task.chat),
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


def test_single_words_are_quoted_beside_the_heads_of_several_labels() -> None:
    alone, several = (create_estimate(task, **GOEMOTIONS._asdict()) for task in (TEXTS, Task.multi_label))

    # On two cores 290 s before the study counted words, and 17 s of a core more since.
    assert several.seconds_low <= 307 <= several.seconds_high
    assert several.seconds_high - alone.seconds_high > 40


def test_entities_are_read_once_and_trained_for_best_alone() -> None:
    def create(preset: Preset, **changes: float) -> Estimate:
        speed = replace(SHIPPED["cpu"], **changes)
        return create_estimate(
            TOKENS,
            preset,
            speeds=[speed],
            **WNUT._asdict(),
        )

    assert create(Preset.quick) == create(Preset.quick, trained=1.0)
    assert create(Preset.quick, read=1_000.0).seconds_low > 2 * create(Preset.quick).seconds_low
    assert create(Preset.best).seconds_low > 3 * create(Preset.quick).seconds_low
    assert create(Preset.best, trained=850.0).seconds_low > 1.5 * create(Preset.best).seconds_low


def test_a_search_takes_its_seconds_in_either_case() -> None:
    plain = create_estimate(TEXTS)
    recipe = Recipe(task=TEXTS, preset=Preset.custom, search_seconds=300)

    searched = estimate(
        recipe,
        amounts=guessed(BANKING.splits, BANKING.characters, chat=False),
        labels=77,
        device_class="cpu",
    )

    # What was trained is read once more, beside its seconds.
    assert plain.seconds_low + 300 < searched.seconds_low < plain.seconds_low + 310
    assert plain.seconds_high + 300 < searched.seconds_high < plain.seconds_high + 330


def test_few_shot_reads_its_rows_twice_as_often_as_it_has_epochs() -> None:
    few = {"train": 554, "validation": 62, "test": 3080}

    quick, best = (create_estimate(TEXTS, preset, splits=few) for preset in (Preset.quick, Preset.few_shot))

    assert quick.seconds_high < best.seconds_high < 15 * quick.seconds_high


def test_few_shot_learns_from_validation_rows_and_from_names_as_well() -> None:
    def seconds(validation: int, labels: int) -> int:
        splits = {"train": 539, "validation": validation, "test": 100}
        # 80 characters a row, whatever the splits; hardly anything but training takes time.
        return create_estimate(
            TEXTS,
            Preset.few_shot,
            splits=splits,
            characters=80 * sum(splits.values()),
            labels=labels,
            speeds=[replace(SHIPPED["cpu"], trained=1.0)],
        ).seconds_low

    assert seconds(539, 77) > 1.7 * seconds(1, 77)
    assert seconds(77, 77) > seconds(77, 7) + 20 * 70 * 3


def test_best_asks_the_validation_rows_more_often_than_custom() -> None:
    few, many = ({**BANKING.splits, "validation": rows} for rows in (10, 10_000))

    best, custom = (
        [create_estimate(TEXTS, preset, splits=splits).seconds_high for splits in (few, many)]
        for preset in (Preset.best, Preset.custom)
    )

    assert abs(best[0] - custom[0]) <= 2
    assert best[1] > custom[1] + 10


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


def test_a_base_model_takes_as_long_as_its_layers_compute_not_as_its_vocabulary_is_large() -> None:
    # Twice the layers of the same width, and four times the vocabulary.
    usual, multilingual = (
        create_estimate(preset=Preset.best, base_model=base_model)
        for base_model in ("all-MiniLM-L6-v2", "paraphrase-multilingual-MiniLM-L12-v2")
    )

    assert 1.7 < multilingual.seconds_high / usual.seconds_high < 2.1


def test_what_was_counted_decides_and_long_rows_count_to_their_cut() -> None:
    def create_amounts(*tokens: int) -> dict[str, Amount]:
        return {"train": Amount(rows=lengths_of(tokens * 1_000))}

    short, long, longer = (
        create_estimate(TEXTS, amounts=create_amounts(20, last)) for last in (20, 2_000, 20_000)
    )

    assert short.seconds_high < long.seconds_high == longer.seconds_high


def test_pairs_are_read_once_for_each_text_and_trained_as_they_stand() -> None:
    alone = {"train": Amount(rows=lengths_of([100] * 5_000))}
    pairs = {"train": Amount(rows=lengths_of([100] * 5_000), texts=lengths_of([50] * 200))}

    quick, best = (
        [create_estimate(Task.pair_classification, preset, amounts=one) for one in (alone, pairs)]
        for preset in (Preset.quick, Preset.best)
    )

    read = quick[0].seconds_high - quick[1].seconds_high
    assert read > 100
    assert abs(best[0].seconds_high - best[1].seconds_high - read) <= 1


def test_long_texts_are_cut_and_long_sentences_are_not() -> None:
    long, longer = 9_000_000_000, 18_000_000_000

    assert create_estimate(characters=long) == create_estimate(characters=longer)
    assert create_estimate(TOKENS, characters=long) != create_estimate(TOKENS, characters=longer)


@pytest.mark.parametrize("base_model", [id_ for id_ in ids() if TOKENS in get(id_).tasks])
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


def test_chat_is_quoted_by_the_measured_device_too() -> None:
    usual = replace(SHIPPED["cpu"], chat=SHIPPED_CHAT["cpu"])
    quick = replace(usual, chat=replace(SHIPPED_CHAT["cpu"], trained=4_500.0, read=15_000.0, written=1_200.0))
    splits = {"train": 400, "validation": 50, "test": 50}

    def create(*speeds: Speed) -> Estimate:
        return create_estimate(Task.chat, splits=splits, characters=400_000, speeds=speeds)

    assert create().seconds_low < create(usual).seconds_low
    assert create(usual).seconds_high < create().seconds_high
    assert create(quick).seconds_high < create(usual).seconds_high / 3
    # A worker of before knows nothing of chat.
    assert create(SHIPPED["cpu"]) == create(usual)


def test_a_speed_is_kept_whole() -> None:
    both = replace(SHIPPED["cpu"], chat=SHIPPED_CHAT["cpu"])

    assert from_json(both.to_json()) == both
    assert from_json(SHIPPED["cpu"].to_json()) == SHIPPED["cpu"]
