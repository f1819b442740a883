"""Orders of second texts beside scikit-learn's figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from services.training.examples import PairExample, ScoreExample
from services.training.reporting import ranking


@given(st.lists(st.integers(0, 3), min_size=2, max_size=20).filter(any))
def test_ndcg_is_that_of_scikit_learn(grades: list[int]) -> None:
    scores = np.random.default_rng(len(grades)).permutation(len(grades)).astype(float)

    ours = ranking.ndcg(np.array(grades, float), scores)

    assert ours == pytest.approx(ndcg_score([grades], [scores], k=10))


def test_equal_scores_are_read_against_us() -> None:
    assert ranking.ndcg(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(1 / np.log2(3))


def test_every_figure_follows_from_the_places_of_the_relevant() -> None:
    relevant = [(0,), (1,), (0, 3), (2,), (3,), (), (0, 1, 2, 3)]
    test = [
        PairExample(1, f"query {query}", f"item {item}", "yes" if item in those else "no")
        for query, those in enumerate(relevant)
        for item in range(4)
    ]
    # The items stand in their own order for everybody.
    yes = np.tile(np.array([0.9, 0.8, 0.7, 0.6], np.float32), len(relevant))

    found = ranking.of_labels(test, test, ["no", "yes"], np.stack([1 - yes, yes], axis=1))

    assert found is not None
    assert (found.relevant, found.queries, found.candidates) == ("yes", 5, 4.0)
    assert found.mrr == pytest.approx((1 + 1 / 2 + 1 + 1 / 3 + 1 / 4) / 5)
    assert found.recall_at == {"1": pytest.approx(1.5 / 5), "3": pytest.approx(3.5 / 5), "10": 1.0}


@pytest.mark.parametrize(
    ("often", "seldom", "relevant"),
    [
        ("no", "yes", "yes"),
        ("1", "0", "1"),
        ("match", "not match", "match"),
        ("bought", "seen", "bought"),
        ("common", "rare", "rare"),
    ],
)
def test_the_relevant_label_is_the_one_that_says_so_or_the_rarer(
    often: str, seldom: str, relevant: str
) -> None:
    rows = [
        PairExample(row, f"query {row % 10}", f"item {row}", seldom if row % 3 == 0 else often)
        for row in range(90)
    ]

    found = ranking.of_labels(
        rows, rows, sorted((often, seldom)), np.random.default_rng(0).random((90, 2), np.float32)
    )

    assert found is not None
    assert found.relevant == relevant


def test_labels_that_are_numbers_are_grades_and_others_no_ranking() -> None:
    grades = [PairExample(row, f"query {row % 6}", f"item {row}", str(1 + row // 6 % 3)) for row in range(60)]
    words = [PairExample(row.row, row.first, row.second, f"label {row.label}") for row in grades]
    sure = np.array([[float(row.label == label) for label in "123"] for row in grades], np.float32)

    found = ranking.of_labels(grades, grades, ["1", "2", "3"], sure)

    assert found is not None
    assert found.ndcg_at_10 == pytest.approx(1.0)
    assert ranking.of_labels(words, words, ["label 1", "label 2", "label 3"], sure) is None


def test_scores_rank_by_how_far_they_are_above_the_mean() -> None:
    scored = [ScoreExample(row, f"query {row % 6}", f"item {row}", float(row // 6)) for row in range(60)]

    found = ranking.of_scores(scored, scored, np.array([row.score for row in scored]))

    assert found is not None
    assert (found.ndcg_at_10, found.relevant) == (pytest.approx(1.0), "above 4.5")
