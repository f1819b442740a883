import hashlib
import json

import pytest

from services.datasets.examples import (
    ChatExample,
    ChatRole,
    Example,
    Message,
    MultiLabelExample,
    PairExample,
    PlainExample,
    ScoreExample,
    TextExample,
    content_hash,
    from_line,
    to_line,
)
from tests.services.datasets.factories import sentence

EXAMPLES = [
    TextExample(17, "Größe?\u2028\n„ja“ 😀", "card_arrival"),
    MultiLabelExample(4, "well done", ("joy", "pride")),
    MultiLabelExample(5, "it is noon", ()),
    sentence(3, "Empire/B-location", "State/I-location"),
    PairExample(2, "A man sleeps.", "Nobody is awake.", "neutral"),
    ScoreExample(2, "good", "", 0.1),
    PlainExample(7, "nobody says what this is about"),
    ScoreExample(3, "a cat", "one cat", -4.0),
    ChatExample(
        1,
        (
            Message(ChatRole.system, "Be brief."),
            Message(ChatRole.user, "Hi\nthere"),
            Message(ChatRole.assistant, "Hello.", 0.0),
            Message(ChatRole.assistant, "Yes?", 1.0),
        ),
    ),
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_survives_its_line(example: Example) -> None:
    line = to_line(example)

    assert "\n" not in line
    assert from_line(line) == example


def test_every_kind_of_example_is_tried() -> None:
    assert {type(example) for example in EXAMPLES} == set(Example.__args__)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_line_has_sorted_keys_and_no_spaces(example: Example) -> None:
    line = to_line(example)

    assert line == json.dumps(json.loads(line), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def test_a_pair_reads_as_both_texts_and_counts_their_characters() -> None:
    pair, single = PairExample(2, "one", "two", "same"), ScoreExample(2, "one", "", 1.0)

    assert (pair.text, pair.labels, pair.characters) == ("one\ntwo", ("same",), 6)
    assert (single.text, single.labels, single.characters) == ("one", (), 3)


def test_a_conversation_reads_as_people_note_it_down() -> None:
    chat = ChatExample(1, (Message(ChatRole.user, "Hi"), Message(ChatRole.assistant, "Hello.")))

    assert (chat.text, chat.labels, chat.characters) == ("user: Hi\nassistant: Hello.", (), 8)


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
