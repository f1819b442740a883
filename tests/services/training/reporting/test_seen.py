"""Examples are shown as a base model reads them: in pieces, cut off, and with what is learned marked."""

from pathlib import Path

from services.training.reporting import seen


def test_a_text_is_cut_into_pieces_and_off_where_it_is_too_long(base_model: Path) -> None:
    short, long = seen.texts(base_model, ["a parcel", "parcel " * 40], max_length=16)

    assert short.pieces
    assert short.cut == 0
    assert len(long.pieces) == 14  # and two special tokens
    assert long.cut > 0


def test_of_a_pair_the_longer_text_is_cut_first(base_model: Path) -> None:
    [pair] = seen.pairs(base_model, [("red", "red " * 40)], max_length=16)

    assert len(pair.pieces) == 1
    assert 10 < len(pair.second) < 16
    assert pair.cut == 40 - len(pair.second)


def test_the_words_of_entities_are_marked(base_model: Path) -> None:
    [sentence] = seen.sentences(base_model, [(("red", "red"), ("O", "B-colour"))])

    assert [piece.marked for piece in sentence.pieces] == [False, True]
