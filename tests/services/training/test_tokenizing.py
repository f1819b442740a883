from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from services.training.tokenizing import encode_texts, encode_words, load_tokenizer

CLS, SEP = 2, 3
WORDS = st.text("abcxyz.'é\u200b", min_size=1, max_size=9)


@pytest.fixture(scope="module")
def whole(base_model: Path) -> Tokenizer:
    return load_tokenizer(base_model)


def test_padding_and_cutting_of_the_file_are_not_taken_over(whole: Tokenizer) -> None:
    [short, long], cut = encode_texts(whole, ["red", "red " * 30])

    assert (len(short), len(long), cut) == (3, 32, 0)


def test_texts_that_are_cut_are_counted(base_model: Path) -> None:
    tokenizer = load_tokenizer(base_model, cut_to=10)

    ids, cut = encode_texts(tokenizer, ["red " * 8, "red " * 9, "red " * 30])

    assert [len(row) for row in ids] == [10, 10, 10]
    assert [row[-1] for row in ids] == [SEP, SEP, SEP]
    assert cut == 2


def test_the_first_subword_stands_for_its_word(whole: Tokenizer) -> None:
    [piece] = encode_words(whole, [["red", "abc", "cat"]], 16)

    starts = [whole.id_to_token(piece.ids[position]) for position in piece.firsts]
    assert starts == ["red", "a", "cat"]
    assert (piece.words, piece.ids[0], piece.ids[-1]) == ([0, 1, 2], CLS, SEP)


def test_a_long_sentence_is_read_in_pieces_that_cut_no_word(whole: Tokenizer) -> None:
    sentence = ["red", "abcd", "cat", "abcd", "dog"]

    pieces = encode_words(whole, [["one"], sentence], 8)

    assert [piece.sentence for piece in pieces] == [0, 1, 1]
    assert [piece.words for piece in pieces] == [[0], [0, 1, 2], [3, 4]]
    assert all(len(piece.ids) <= 8 for piece in pieces)


def test_a_word_without_subwords_is_in_no_piece(whole: Tokenizer) -> None:
    [piece] = encode_words(whole, [["red", "\u200b", "cat"], ["\u200b"], []], 16)

    assert piece.words == [0, 2]


def test_a_word_longer_than_a_piece_loses_its_end_only(whole: Tokenizer) -> None:
    pieces = encode_words(whole, [["abcabcabcabc", "cat"]], 8)

    assert [piece.words for piece in pieces] == [[0], [1]]
    assert len(pieces[0].ids) == 8


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sentences=st.lists(st.lists(WORDS, max_size=20), max_size=4), length=st.integers(8, 20))
def test_every_word_with_subwords_is_read_once(
    whole: Tokenizer, sentences: list[list[str]], length: int
) -> None:
    pieces = encode_words(whole, sentences, length)

    read = [(piece.sentence, word) for piece in pieces for word in piece.words]
    readable = [
        (number, place)
        for number, sentence in enumerate(sentences)
        for place, word in enumerate(sentence)
        if whole.encode([word], is_pretokenized=True, add_special_tokens=False).ids
    ]
    assert read == readable
    assert all(len(piece.ids) <= length and len(piece.firsts) == len(piece.words) for piece in pieces)
