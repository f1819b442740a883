import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.datasets.cells import original
from services.datasets.examples import (
    ChatExample,
    ChatRole,
    Example,
    Message,
    MultiLabelExample,
    PairExample,
    ScoreExample,
    TextExample,
    from_line,
)
from services.datasets.exporting import to_conll, to_csv, to_jsonl
from services.datasets.splits import Splits
from tests.services.datasets.factories import sentence

STRINGS = st.text(st.characters(codec="utf-8"), min_size=1)
EXAMPLES = st.lists(st.tuples(STRINGS, STRINGS)).map(
    lambda pairs: [TextExample(row, *pair) for row, pair in enumerate(pairs, 2)]
)


def cells(*train: Example, test: tuple[Example, ...] = ()) -> list[list[str]]:
    content = to_csv(Splits(train=train, validation=(), test=test, train_only=()))
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@given(EXAMPLES)
def test_the_table_gives_back_every_text_and_label(examples: list[TextExample]) -> None:
    _, *rows = cells(*examples)

    assert [
        TextExample(int(row), original(text), original(label)) for row, _, text, label in rows
    ] == examples


@given(EXAMPLES)
def test_no_cell_of_the_table_is_a_formula(examples: list[TextExample]) -> None:
    for row in cells(*examples):
        for cell in row:
            number = cell.lstrip("+-").replace(".", "", 1).isdecimal()
            assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\0"))


@given(EXAMPLES)
def test_canonical_lines_give_back_the_examples(examples: list[TextExample]) -> None:
    lines = to_jsonl(examples).decode().split("\n")[:-1]

    assert [from_line(line) for line in lines] == examples


def test_rows_stand_in_the_files_order_with_their_split() -> None:
    rows = cells(TextExample(2, "x", "a"), TextExample(4, "z", "b"), test=(TextExample(3, "y", "a"),))

    assert rows == [
        ["row", "split", "text", "label"],
        ["2", "train", "x", "a"],
        ["3", "test", "y", "a"],
        ["4", "train", "z", "b"],
    ]


@pytest.mark.parametrize(
    ("example", "columns", "expected"),
    [
        (MultiLabelExample(1, "=x", ("a", "b")), ["text", "labels"], ["'=x", '["a", "b"]']),
        (sentence(1, "in/O", "Köln/B-place"), ["tokens", "tags"], ['["in", "Köln"]', '["O", "B-place"]']),
        (PairExample(1, "x", "@y", "a"), ["first", "second", "label"], ["x", "'@y", "a"]),
        (ScoreExample(1, "x", "y", -0.5), ["first", "second", "score"], ["x", "y", "-0.5"]),
    ],
)
def test_every_kind_of_example_has_its_columns(
    example: Example, columns: list[str], expected: list[str]
) -> None:
    assert cells(example) == [["row", "split", *columns], ["1", "train", *expected]]


def test_a_conversation_is_json_in_its_cell() -> None:
    turns = (Message(ChatRole.user, "=hello"), Message(ChatRole.assistant, "so", 0.5))

    (_, (_, _, cell)) = cells(ChatExample(1, turns))

    assert json.loads(cell)[1] == {"content": "so", "role": "assistant", "weight": 0.5}


def test_sentences_are_written_as_conll_a_token_to_a_line() -> None:
    sentences = [sentence(1, "in/O", "Köln/B-place"), sentence(2, "two\twords\n/O")]

    assert to_conll(sentences).decode() == "in\tO\nKöln\tB-place\n\ntwo words \tO\n\n"


def test_nothing_is_exported_as_a_header_alone() -> None:
    assert cells() == [["row", "split", "text", "label"]]
    assert to_jsonl([]) == b""
