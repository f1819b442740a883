import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from services.training import tagging
from services.training.tagging import tag_names
from services.training.tokenizing import Piece

TAGS = tag_names(["city", "person"])
SENTENCES = [["O", "B-person", "I-person", "O", "B-city"], ["B-person", "O", "O", "B-city"]]
AFTER = tagging.following(TAGS, SENTENCES)
NUMBERS = st.floats(0.01, 1)


def likely(*words: dict[str, float]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """What is left of one goes to the tags that are not named, in equal parts."""
    rows = []
    for named in words:
        rest = (1 - sum(named.values())) / (len(TAGS) - len(named))
        rows.append([named.get(tag, rest) for tag in TAGS])
    return np.array(rows, np.float32)


def test_a_word_that_no_piece_has_is_outside_for_sure() -> None:
    logits = torch.tensor([[0.0, 9.0, 0.0, 0.0, 0.0]])

    (sentence,) = tagging.by_word(TAGS, [2], [Piece(0, [7], [0], [1], [1], [[1] * 6])], logits)

    assert sentence[0].tolist() == [1, 0, 0, 0, 0]
    assert sentence[1].argmax() == TAGS.index("B-city")


def test_an_inside_tag_follows_its_own_type_alone() -> None:
    unsure = likely({"O": 0.9}, {"I-person": 0.5, "B-person": 0.3}, {"I-city": 0.5, "I-person": 0.4})

    (tags, certain), (plain, _) = (tagging.decide(TAGS, [unsure], after)[0] for after in (AFTER, []))

    assert plain == ["O", "I-person", "I-city"]
    assert tags == ["O", "B-person", "I-person"]
    assert certain == pytest.approx([0.9, 0.3, 0.4])


def test_nothing_but_its_own_type_comes_before_an_inside_tag() -> None:
    rows = ["", *TAGS]

    before = {
        tag: [rows[row] for row in range(len(rows)) if AFTER[row][TAGS.index(tag)] > -100] for tag in TAGS
    }

    assert before["I-person"] == ["B-person", "I-person"]
    assert before["I-city"] == ["B-city", "I-city"]
    assert all(before[tag] == rows for tag in ("O", "B-person", "B-city"))


def test_what_often_follows_is_likelier() -> None:
    sentences = [["B-person", "I-person"]] * 20 + [["B-city", "O"]] * 20
    after = tagging.following(TAGS, sentences)
    even = [0.0, 0.0, 0.0, 0.0, 0.0]

    second = {"O": 0.45, "I-person": 0.4}
    found = tagging.decide(TAGS, [likely({"B-person": 0.9}, second), likely({"B-city": 0.9}, second)], after)

    assert [tags for tags, _ in found] == [["B-person", "I-person"], ["B-city", "O"]]
    assert len(after) == 1 + len(even)


def test_a_temperature_changes_confidence_and_no_tag() -> None:
    torch.manual_seed(2)
    logits = 3 * torch.randn(400, 5)
    piece = Piece(0, [], [], [], list(range(400)), [])

    (tags, certain), (others, milder) = (
        tagging.decide(TAGS, tagging.by_word(TAGS, [400], [piece], logits / one), AFTER, one)[0]
        for one in (1.0, 2.5)
    )

    assert tags == others
    assert sum(milder) < sum(certain)


@given(st.lists(st.lists(NUMBERS, min_size=5, max_size=5), max_size=3))
def test_no_other_way_through_a_sentence_is_likelier(rows: list[list[float]]) -> None:
    told = np.array(rows, np.float32).reshape(-1, 5)
    told /= told.sum(1, keepdims=True)

    ((tags, _),) = tagging.decide(TAGS, [told], AFTER)

    def worth(path: list[int]) -> float:
        rows = [0, *(1 + place for place in path)]
        gains = sum(AFTER[before][own] for before, own in zip(rows, path, strict=False))
        return gains + float(sum(np.log(told[word, own]) for word, own in enumerate(path)))

    paths: list[list[int]] = [[]]
    for _ in rows:
        paths = [[*path, tag] for path in paths for tag in range(5)]
    assert worth([TAGS.index(tag) for tag in tags]) == pytest.approx(max(map(worth, paths)), abs=1e-3)


def test_a_word_is_the_mean_of_its_subwords() -> None:
    piece = Piece(0, [2, 5, 6, 7, 3], [1, 3], [3, 4], [0, 1], [[1] * 6, [2] * 6])
    values = torch.tensor([[9.0], [1.0], [3.0], [5.0], [9.0]])

    assert tagging.means(piece, values).tolist() == [[2.0], [5.0]]
    assert piece.spread(["a", "b"], "") == ["", "a", "a", "b", ""]


def test_shapes_are_counted_by_word() -> None:
    piece = Piece(0, [2, 5, 3], [1], [2], [0], [[1, 1, 1, 2, 2, 256]])

    (counted,) = tagging.shapes([piece])

    assert (counted[0], counted[1], counted[255], counted.sum()) == (3, 2, 1, 6)
