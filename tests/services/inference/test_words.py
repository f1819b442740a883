from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference.words import words


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I live in the Empire State Building.", "I live in the Empire State Building ."),
        ("London's buses, (old) ones!", "London 's buses , ( old ) ones !"),
        ("@paulwalk: see #nlp at a.b/c", "@paulwalk : see #nlp at a.b/c"),
        ("e-mail o’clock 3.5 U.S.", "e-mail o’clock 3.5 U.S ."),
        ("我爱 Berlin", "我 爱 Berlin"),
        ("हिन्दी में", "हिन्दी में"),
        ("naïve cafe\u0301", "naïve cafe\u0301"),
        (" \n\t", ""),
    ],
)
def test_words_are_those_of_a_tagged_corpus(text: str, expected: str) -> None:
    assert split(text) == expected.split()


@given(st.text())
def test_words_cover_all_but_white_space_in_order(text: str) -> None:
    found = words(text)

    assert all(start < end for start, end in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    covered = {place for start, end in found for place in range(start, end)}
    left_out = "".join(sign for place, sign in enumerate(text) if place not in covered)
    assert left_out.strip() == ""
