"""Texts of which nothing is said, for a base model to get used to."""

import json

import pytest

from services.datasets.detection import detect
from services.datasets.errors import OneColumn
from services.datasets.examples import PlainExample
from services.datasets.formats import Format
from services.datasets.reading import read
from services.datasets.splits import split
from services.datasets.usable import require_usable
from services.training.recipe import Task

TEXTS = [f"Line {number}: words, and more words; nothing else" for number in range(40)]
LINES = "".join(f"{text}\n" for text in TEXTS).encode()


def form_of(content: bytes) -> Format:
    return detect(content, task=Task.unlabelled)


@pytest.mark.parametrize(
    "content",
    [
        "".join(f"{text}\n" for text in [*TEXTS[:20], "One with no mark at all"]).replace(",", "").encode(),
        b"text\n" + b"".join(f'"{text}"\n'.encode() for text in TEXTS),
        b"".join(json.dumps({"text": text}).encode() + b"\n" for text in TEXTS),
        b"id,body,stars\n" + b"".join(f'{at},"{text}",3\n'.encode() for at, text in enumerate(TEXTS)),
    ],
    ids=["lines", "one column", "jsonl", "a column of several"],
)
def test_a_column_of_texts_is_read_without_labels(content: bytes) -> None:
    reading = read(content, form_of(content))

    assert len(reading.examples) >= 20
    assert reading.dropped == ()
    assert all(isinstance(example, PlainExample) for example in reading.examples)
    require_usable(reading)
    assert min(split(reading.examples, seed=1).rows.values()) > 0


def test_one_column_is_still_refused_where_labels_are_to_be_learned() -> None:
    with pytest.raises(OneColumn):
        detect(b"just one column\nof words\n")


def test_an_empty_text_is_left_out_with_its_reason() -> None:
    content = b"id,text\n" + b"".join(b"%d,words %d\n" % (at, at) for at in range(9)) + b"10,\n"

    reading = read(content, form_of(content))

    assert {code.value: count for code, count in reading.dropped_by_code.items()} == {"empty_text": 1}
