"""How long a chat run will take, before it starts. Pure; no torch."""

from collections.abc import Mapping

from services.training.bases import catalogue
from services.training.quoting import chat_plan
from services.training.quoting.lengths import Amount
from services.training.quoting.speed import ChatSpeed
from services.training.recipe import DEFAULT_CHAT_MODEL, Preset, Recipe

# Twelve looks at the validation split for each stage, and the test split read by each model and by the base.
_LOOKS = 12
# The base model is loaded, and the artefact written, which holds the whole model.
_FILES_SECONDS = 7.0


def seconds(recipe: Recipe, speed: ChatSpeed, amounts: Mapping[str, Amount]) -> float:
    """What a run takes on so many conversations, on a device of such a speed.

    Another base model than the default takes as much longer as its layers and its vocabulary are larger.
    """
    length = recipe.hyperparameters.max_length
    size = catalogue.get(recipe.base_model).computed / catalogue.get(DEFAULT_CHAT_MODEL).computed
    train, validation, test = (amounts.get(split, Amount()).rows for split in ("train", "validation", "test"))
    stages = 2 if recipe.preset is Preset.best else 1
    looked_at = min(1.0, chat_plan.VALIDATED / max(1, validation.rows)) * validation.cut(length)
    answers = 2 * min(test.rows, chat_plan.answered(recipe.preset))
    # The first of two models is judged as well, beside the same base.
    answers += min(test.rows, chat_plan.answered(Preset.quick)) * (stages - 1)
    return (
        speed.start_seconds
        + _FILES_SECONDS
        + size
        * (
            chat_plan.trained_tokens(recipe, train.cut(length)) / speed.trained
            + (looked_at * _LOOKS * stages + (1 + stages) * test.cut(length)) / speed.read
            + answers * chat_plan.ANSWER_TOKENS / speed.written
        )
    )
