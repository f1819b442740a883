import hashlib
import json

import pytest

from services.datasets.examples import Example, TextExample, content_hash, from_line, to_line
from tests.services.datasets.factories import sentence


@pytest.mark.parametrize(
    "example",
    [
        TextExample(17, "Größe?\u2028\n„ja“ 😀", "card_arrival"),
        sentence(3, "Empire/B-location", "State/I-location"),
    ],
)
def test_an_example_survives_its_line(example: Example) -> None:
    line = to_line(example)

    assert "\n" not in line
    assert from_line(line) == example


def test_the_line_is_canonical() -> None:
    assert to_line(TextExample(1, 'ä "b"', "c")) == '{"label":"c","row":1,"text":"ä \\"b\\""}'
    assert json.loads(to_line(sentence(3, "Oslo/B-place"))) == {
        "row": 3,
        "tokens": ["Oslo"],
        "tags": ["B-place"],
    }


def test_the_hash_is_over_the_lines() -> None:
    examples = [TextExample(1, "ä", "x"), TextExample(2, "b", "y")]
    lines = '{"label":"x","row":1,"text":"ä"}\n{"label":"y","row":2,"text":"b"}\n'

    assert content_hash(examples) == hashlib.sha256(lines.encode()).hexdigest()
    assert content_hash(examples[::-1]) != content_hash(examples)
