import numpy as np
import pytest

from services.training.reporting.intervals import bootstrap_f1, wilson


def test_wilson_gives_the_textbook_interval() -> None:
    # Newcombe (1998), table I: 81 of 263.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    # The same table: 15 of 148, and 0 of 20.
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_wilson_stays_within_zero_and_one() -> None:
    assert wilson(20, 20)[1] == 1.0
    assert wilson(0, 1)[0] == 0.0


def test_the_bootstrap_interval_holds_the_score_and_narrows_with_more_sentences() -> None:
    few = np.array([[1, 2, 2], [2, 2, 3], [0, 1, 1], [3, 3, 3]] * 10)
    many = np.tile(few, (25, 1))
    score = 2 * few[:, 0].sum() / few[:, 1:].sum()

    low, high = bootstrap_f1(few)
    closer_low, closer_high = bootstrap_f1(many)

    assert low < score < high
    assert high - low > 3 * (closer_high - closer_low)
    assert bootstrap_f1(few) == (low, high)


def test_sentences_without_entities_give_zero() -> None:
    assert bootstrap_f1(np.zeros((5, 3), dtype=np.int64)) == (0.0, 0.0)
