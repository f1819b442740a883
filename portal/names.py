"""Names that people would have given. Pure."""

import re
import unicodedata

from services.training.recipe import Preset, Task

PRESET_WORDS = {
    Preset.quick: "Quick",
    Preset.few_shot: "Few-shot",
    Preset.best: "Best",
    Preset.custom: "Custom",
}
TASK_WORDS = {
    Task.text_classification: "Text classification",
    Task.multi_label: "Several labels for each text",
    Task.token_classification: "Entities in text",
    Task.pair_classification: "Pairs of texts",
    Task.regression: "Scores of texts",
    Task.chat: "Conversations",
    Task.unlabelled: "Texts without labels",
}
_LONGEST = 60


def model_name_from(words: str) -> str:
    """A name that a model may have, made of any words: "Support messages" becomes "support-messages"."""
    plain = unicodedata.normalize("NFKD", words.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9.]+", "-", plain).strip("-.")[:_LONGEST] or "model"


def noun_of_labels(task: str) -> str:
    """What the labels of a task are called."""
    return "entity type" if task == Task.token_classification else "label"
