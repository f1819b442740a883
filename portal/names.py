"""Names that people would have given. Pure."""

import re
import unicodedata

from services.training.recipe import Preset, Task

PRESET_WORDS = {Preset.quick: "Quick", Preset.best: "Best", Preset.custom: "Custom"}
TASK_WORDS = {Task.text_classification: "Text classification", Task.token_classification: "Entities in text"}
_LONGEST = 60


def model_name_from(words: str) -> str:
    """A name that a model may have, made of any words: "Support messages" becomes "support-messages"."""
    plain = unicodedata.normalize("NFKD", words.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9.]+", "-", plain).strip("-.")[:_LONGEST] or "model"


def noun_of_labels(task: str) -> str:
    """What the labels of a task are called."""
    return "label" if task == Task.text_classification else "entity type"
