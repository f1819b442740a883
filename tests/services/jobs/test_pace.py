"""What runs take beside their quotes, with and without a history."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.jobs.pace import pace


def test_the_median_of_recent_runs_corrects_a_quote() -> None:
    slow = pace([("cpu", ratio) for ratio in (0.7, 0.8, 0.9) for _ in range(5)])

    assert slow.expected(100, "cpu") == pytest.approx(80)


def test_classes_of_device_are_told_apart() -> None:
    history = [("cpu", 0.9)] * 10 + [("cuda", 0.1)] * 10

    mixed = pace(history)

    assert mixed.expected(100, "cpu") == pytest.approx(90)
    assert mixed.expected(100, "cuda") == pytest.approx(10)


@given(st.sampled_from([0.0, 5.0, 1_000.0]))
def test_without_a_history_it_guesses_with_care(strange: float) -> None:
    assert 20 <= pace([]).expected(100, "cpu") <= 80
    assert 20 <= pace([("cpu", strange)]).expected(100, "cpu") <= 80, "one strange run changes little"
    assert pace([("cuda", strange)] * 9).expected(100, "cpu") == pace([]).expected(100, "cpu")


def test_what_is_left_of_a_run_never_ran_out() -> None:
    steady = pace([("cpu", 0.5)] * 50)

    early, late = steady.left(60.0, elapsed=10.0), steady.left(60.0, elapsed=10_000.0)

    assert sorted(early)[len(early) // 2] == pytest.approx(50.0)
    assert min(early) > 0
    assert late == [pytest.approx(2_500.0)], "the longer it overran, the longer it may still take"
