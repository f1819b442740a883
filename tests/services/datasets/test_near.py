from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.datasets.near import THRESHOLD, Positions, clusters, joined
from services.datasets.shingles import plain
from tests.services.datasets.variants import variants

LETTERS = "abcdefghijklmnopqrstuvwxyz "


def near_pairs(texts: list[str]) -> list[tuple[int, int]]:
    """By brute force."""
    sets = [{f" {text} "[at : at + 3] for at in range(len(text))} for text in texts]
    return [
        (left, right)
        for left, right in combinations(range(len(texts)), 2)
        if len(sets[left] & sets[right]) >= THRESHOLD * len(sets[left] | sets[right])
    ]


def connected(size: int, pairs: list[tuple[int, int]]) -> Positions:
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    return joined(np.arange(size), left, right)


def test_a_wrong_letter_a_missing_word_and_other_marks_are_near_copies() -> None:
    found = clusters(
        [
            "What should I do if my phone is lost or stolen?",
            "The exchange rate is wrong",
            "what should i do if my phone is lost or stolen",
            "What should I do if my fone is lost or stolen?",
            "WHAT SHOULD I DO IF MY FONE IS LOST OR STOLEN",
        ]
    )

    assert found.tolist() == [0, 1, 0, 0, 0]


def test_in_short_texts_every_letter_counts() -> None:
    assert clusters(["forgot my pin", "forgot my pin.", "forgot my pan"]).tolist() == [0, 0, 2]


def test_only_the_beginning_of_a_long_text_is_compared() -> None:
    beginning = variants(1, of=1, seed=5)[0] * 200

    assert clusters([f"{beginning[:4_000]}{'x' * 9_000}", f"{beginning[:4_000]}{'y' * 9_000}"]).tolist() == [
        0,
        0,
    ]


def test_nothing_and_one_text_have_no_copies() -> None:
    assert clusters([]).tolist() == []
    assert clusters(["a text that is long enough"]).tolist() == [0]


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_found_are_near_copies_alone_and_nearly_all_of_them(seed: int) -> None:
    texts = [text for text in dict.fromkeys(plain(variants(200, of=40, seed=seed))) if len(text) >= 20]
    pairs = near_pairs(texts)

    found = clusters(texts)

    # Precision: no two texts are together that no chain of near copies connects.
    true = connected(len(texts), pairs)
    assert all(true[at] == true[root] for at, root in enumerate(found))
    # Recall, of the pairs that brute force finds.
    together = sum(found[left] == found[right] for left, right in pairs)
    assert together >= 0.95 * len(pairs)


@pytest.mark.parametrize("originals", [8, 30, 150])
def test_in_a_crowd_of_variants_hardly_a_pair_is_missed(originals: int) -> None:
    texts = [text for text in dict.fromkeys(plain(variants(600, of=originals, seed=1))) if len(text) >= 20]
    pairs = near_pairs(texts)

    found = clusters(texts)

    assert len(pairs) > 50
    assert sum(found[left] == found[right] for left, right in pairs) >= 0.98 * len(pairs)


def test_the_order_of_other_texts_changes_nothing_about_a_pair() -> None:
    texts = variants(300, of=300, seed=2)
    copies = [
        "A text of which there is another one, nearly",
        "A text of which there is another one, nearly!!",
    ]

    assert clusters([*copies, *texts])[1] == 0
    assert clusters([*texts, *copies])[301] == 300


@pytest.mark.parametrize(
    "texts",
    [
        ["the very same text again and again"] * 20_000,
        [f"Your order number {number} has not arrived at all" for number in range(20_000)],
        ["x" * 100_000] * 3 + ["y" * 99_999 + "x"],
    ],
    ids=["all the same", "one template", "very long"],
)
def test_crowds_are_no_trouble(texts: list[str]) -> None:
    found = clusters(texts)

    assert np.unique(found).size < 20


def test_a_crowd_of_texts_that_are_almost_near_is_compared_with_neighbours_alone() -> None:
    random = Random(3)
    common = "I would like to know why my payment was declined yesterday in the "
    texts = [common + "".join(random.choices(LETTERS, k=18)) for _ in range(5_000)]

    found = clusters(texts)

    assert found.shape == (5_000,)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60))
def test_joining_gives_each_chain_its_first_member(pairs: list[tuple[int, int]]) -> None:
    roots = connected(31, pairs)

    expected = list(range(31))
    for _ in range(31):
        for left, right in pairs:
            expected[left] = expected[right] = min(expected[left], expected[right])
    assert roots.tolist() == expected
