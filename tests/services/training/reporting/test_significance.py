import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score, r2_score

from services.training.reporting.significance import SURE, compare, compare_scores, counts, mcnemar, score


@pytest.mark.parametrize(("ours", "theirs"), [(0, 0), (5, 0), (7, 12), (40, 40), (900, 1_100)])
def test_mcnemar_is_the_exact_binomial_test(ours: int, theirs: int) -> None:
    expected = binomtest(ours, ours + theirs).pvalue if ours + theirs else 1.0

    assert mcnemar(ours, theirs) == pytest.approx(expected)


def test_the_score_of_single_labels_is_accuracy_and_of_several_micro_f1() -> None:
    chance = np.random.default_rng(0)
    truth, predicted = chance.random((2, 60, 4)) < 0.4
    names = np.array(list("abcd"))

    def labels(rows: np.ndarray) -> list[list[str]]:
        return [names[row].tolist() for row in rows]

    assert score(counts(labels(truth), labels(predicted))) == pytest.approx(
        f1_score(truth, predicted, average="micro")
    )
    one, two = chance.choice(names, (2, 60))
    single = counts([[label] for label in one], [[label] for label in two])
    assert score(single) == accuracy_score(one, two)


def answers(right: int, rows: int = 400) -> np.ndarray:
    """The first `right` of the rows are answered rightly."""
    return np.array([(int(row < right), 1, 1) for row in range(rows)])


def test_a_clear_difference_is_sure_and_a_small_one_is_not() -> None:
    clear, small = compare(answers(380), answers(340)), compare(answers(380), answers(378))

    assert clear.value == pytest.approx(0.1)
    assert clear.p_value < SURE < small.p_value
    assert clear.interval[0] > 0
    assert (clear.only_first, clear.only_second) == (40, 0)


def test_the_bootstrap_of_sentences_agrees_with_their_difference() -> None:
    chance = np.random.default_rng(1)
    true = chance.integers(1, 4, 300)
    ours = np.stack([chance.binomial(true, 0.8), true, true], 1)
    theirs = np.stack([chance.binomial(true, 0.6), true, true], 1)

    difference = compare(ours, theirs)

    assert difference.interval[0] < difference.value < difference.interval[1]
    assert difference.p_value < SURE
    assert compare(ours, ours).p_value == 1.0


def test_scores_are_compared_by_how_much_of_the_variance_they_explain() -> None:
    chance = np.random.default_rng(0)
    truth = chance.normal(0, 3, 300)
    near, far = truth + chance.normal(0, 1, 300), truth + chance.normal(0, 1.5, 300)

    apart = compare_scores(truth, near, far)

    assert apart.value == pytest.approx(r2_score(truth, near) - r2_score(truth, far))
    assert apart.interval[0] < apart.value < apart.interval[1]
    assert apart.p_value < SURE
    assert apart.only_first + apart.only_second == 300
    assert compare_scores(truth, near, near).p_value == 1.0
