import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.datasets.shingles import plain, shingled

TEXTS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1)


def test_case_width_punctuation_and_white_space_make_no_difference() -> None:
    assert plain(["Where’s  my CARD?", "where s my card", "Ｗhere s my card!\n"]) == ["where s my card"] * 3


def test_emoji_and_other_symbols_make_a_difference() -> None:
    up, down = plain(["great 👍", "great 👎"])

    assert up != down


def test_what_is_only_punctuation_is_told_apart_by_it() -> None:
    assert plain(["?!", ":)"]) == ["?!", ":)"]


@given(TEXTS)
def test_the_sets_hold_as_many_trigrams_as_each_text_has(texts: list[str]) -> None:
    sets = shingled(texts)

    expected = [len({f" {text} "[at : at + 3] for at in range(len(text))}) for text in texts]
    assert np.diff(sets.indptr).tolist() == expected


def test_many_texts_are_worked_on_in_blocks_and_come_out_in_order() -> None:
    texts = [f"{number:06}" for number in range(50_000)]

    sets = shingled(texts)

    assert sets.shape[0] == 50_000
    assert (sets[[49_999]] != shingled(["049999"])).nnz == 0
