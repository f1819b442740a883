"""Tokens are counted as a run reads its rows, by the same tokenizer."""

from pathlib import Path

import pytest

from services.datasets import counting
from services.datasets.counting import count
from services.datasets.examples import (
    ChatExample,
    ChatRole,
    Message,
    PairExample,
    ScoreExample,
    TextExample,
    TokenExample,
)
from services.datasets.split import Split
from services.training import examples as training
from services.training import readings
from services.training.bases.catalogue import CHAT_TEMPLATE
from services.training.conversations import load_format
from services.training.tokenizing import encode_words, load_tokenizer
from tests.services.training.tiny import create_base_model
from tests.services.training.tiny_chat import END, TEMPLATE, create_chat_model


@pytest.fixture(scope="module")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create_base_model(tmp_path_factory.mktemp("base"))


def test_texts_are_as_long_as_a_run_reads_them(base_model: Path) -> None:
    texts = ["the red cat", "a dog", "hammer"]
    rows = [TextExample(row, text, "x") for row, text in enumerate(texts, 2)]

    counted = count({Split.train: rows, Split.validation: [], Split.test: rows[:1]}, base_model)

    read = readings.texts(load_tokenizer(base_model), texts)
    assert (counted[Split.train].rows.rows, counted[Split.train].rows.tokens) == (3, readings.tokens(read))
    assert counted[Split.train].texts is None
    assert counted[Split.validation].rows.rows == 0
    assert counted[Split.test].rows.tokens == 5


def test_words_are_counted_as_they_are_divided_and_pairs_in_both_ways(base_model: Path) -> None:
    sentence = TokenExample(1, ("the", "red", "cat"), ("O", "O", "B-x"))
    pairs = [PairExample(row, "the cat", second, "x") for row, second in enumerate(["red", "the dog"], 2)]
    scores = [ScoreExample(2, "the cat", "", 1.0)]

    words, both, alone = (
        count({Split.train: rows}, base_model)[Split.train] for rows in ([sentence], pairs, scores)
    )

    tokenizer = load_tokenizer(base_model)
    (piece,) = encode_words(tokenizer, [sentence.tokens], 64)
    read = readings.pairs(tokenizer, ["the cat", "the cat"], ["red", "the dog"])
    assert words.rows.tokens == len(piece.ids)
    assert both.rows.tokens == readings.tokens(read)
    # The first text comes twice, and is read once.
    assert both.read_once.tokens == len(read.first[0]) + sum(map(len, read.second))
    assert (alone.rows.tokens, alone.texts) == (4, None)


def test_conversations_are_counted_with_the_marks_of_their_template(tmp_path: Path) -> None:
    model = create_chat_model(tmp_path / "chat")
    end = load_tokenizer(model).token_to_id(END)
    said = (Message(ChatRole.user, "hi"), Message(ChatRole.assistant, "hello"))

    counted = count({Split.train: [ChatExample(1, said)]}, model)[Split.train]

    encoded = load_format(model, end).encode([training.Message(one.role, one.content) for one in said])
    assert counted.rows.tokens == len(encoded.ids)


def test_a_conversation_that_the_template_refuses_is_left_out(tmp_path: Path) -> None:
    model = create_chat_model(tmp_path / "chat")
    refusal = "{% if messages[0]['role'] != 'user' %}{{ raise_exception('No.') }}{% endif %}"
    (model / CHAT_TEMPLATE).write_text(refusal + TEMPLATE)
    said = (Message(ChatRole.user, "hi"), Message(ChatRole.assistant, "hello"))
    refused = ChatExample(2, (Message(ChatRole.assistant, "hello"),))

    counted = count({Split.train: [ChatExample(1, said), refused]}, model)[Split.train]

    assert counted == count({Split.train: [ChatExample(1, said)]}, model)[Split.train]
    assert counted.rows.rows == 1


def test_of_very_much_some_rows_are_counted_for_all(
    base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_MOST_CHARACTERS", 100)
    rows = [TextExample(row, "the red cat", "x") for row in range(2, 103)]

    counted = count({Split.train: rows}, base_model)[Split.train]

    assert (counted.rows.rows, counted.rows.tokens) == (101, 505)


def test_nothing_is_counted_of_nothing(base_model: Path) -> None:
    assert count({Split.train: []}, base_model) == {}
