import re

import pytest

from portal.names import PRESET_WORDS, TASK_WORDS, model_name_from
from services.training.recipe import Preset, Task


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Support messages", "support-messages"),
        ("Größe & Co.", "grosse-co"),
        ("banking77 v1.2", "banking77-v1.2"),
        ("日本語", "model"),
        ("x" * 100, "x" * 60),
    ],
)
def test_any_words_make_a_name_that_a_model_may_have(words: str, name: str) -> None:
    made = model_name_from(words)

    assert made == name
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,59}", made)


def test_every_preset_and_task_has_its_words() -> None:
    assert set(PRESET_WORDS) == set(Preset)
    assert set(TASK_WORDS) == set(Task)
