import pytest
from pydantic import ValidationError

from services.training.bases import catalogue
from services.training.recipe import (
    Hyperparameters,
    Preset,
    PresetNotForTask,
    Recipe,
    Task,
    TaskNotTrainable,
    defaults,
    presets,
    recommended,
)

TRAINABLE = [task for task in Task if task.trainable]


@pytest.mark.parametrize(
    ("task", "preset"), [(task, preset) for task in TRAINABLE for preset in presets(task)]
)
def test_a_recipe_brings_the_hyperparameters_of_its_preset(task: Task, preset: Preset) -> None:
    assert Recipe(task=task, preset=preset).hyperparameters == defaults(preset, task)


def test_a_preset_that_the_task_does_not_have_is_refused_in_words() -> None:
    with pytest.raises(PresetNotForTask, match="Choose one of quick, best, custom"):
        Recipe(task=Task.chat, preset=Preset.few_shot)


def test_few_shot_is_recommended_where_rows_are_few_of_each_label_and_in_all() -> None:
    task = Task.text_classification

    assert recommended(task, rows=8 * 77, labels=77) is Preset.few_shot
    assert recommended(task, rows=49 * 8, labels=8) is Preset.few_shot
    assert recommended(task, rows=50 * 8, labels=8) is None
    assert recommended(task, rows=32 * 77, labels=77) is None
    assert recommended(Task.multi_label, rows=8, labels=77) is None


def test_the_catalogue_and_the_presets_agree_on_what_can_be_trained() -> None:
    assert {task for entry in catalogue.entries() for task in entry.tasks} == set(TRAINABLE)


@pytest.mark.parametrize("task", [task for task in Task if not task.trainable])
def test_a_recipe_for_what_no_run_learns_is_refused_in_words(task: Task) -> None:
    with pytest.raises(TaskNotTrainable, match=f"Models for {task.value} cannot be trained yet"):
        Recipe(task=task)


def test_custom_begins_at_best() -> None:
    task = Task.text_classification

    assert defaults(Preset.custom, task) == defaults(Preset.best, task)


def test_a_recipe_survives_json() -> None:
    recipe = Recipe(task=Task.token_classification, preset=Preset.best, seed=7)

    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_a_stored_recipe_keeps_its_own_hyperparameters() -> None:
    changed = defaults(Preset.custom, Task.text_classification).model_copy(update={"epochs": 9})

    again = Recipe.model_validate(
        {"task": "text-classification", "preset": "custom", "hyperparameters": dict(changed)}
    )

    assert again.hyperparameters.epochs == 9


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("learning_rate", 0),
        ("batch_size", 0),
        ("max_length", 4),
        ("patience", -1),
        ("warmup_ratio", 2),
    ],
)
def test_hyperparameters_out_of_bounds_are_refused(field: str, value: float) -> None:
    settings = defaults(Preset.custom, Task.text_classification).model_dump()

    with pytest.raises(ValidationError, match=field):
        Hyperparameters(**{**settings, field: value})


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="base_modle"):
        Recipe.model_validate({"task": "text-classification", "base_modle": "x"})


def test_a_recipe_never_changes() -> None:
    with pytest.raises(ValidationError):
        Recipe(task=Task.text_classification).seed = 3  # type: ignore[misc]
