import numpy as np
import pytest

from services.training.reporting.abstention import Outcome, at, certainty, curve, threshold_for

CONFIDENCE = np.array([0.9, 0.8, 0.8, 0.6, 0.3])
CORRECT = np.array([True, True, False, True, False])


def test_a_threshold_gives_what_is_at_least_as_sure() -> None:
    assert at(0.8, CONFIDENCE, CORRECT) == Outcome(0.8, 0.6, pytest.approx(2 / 3))
    assert at(0.0, CONFIDENCE, CORRECT) == Outcome(0.0, 1.0, pytest.approx(0.6))
    assert at(1.0, CONFIDENCE, CORRECT) == Outcome(1.0, 0.0, None)


def test_of_several_labels_each_yes_and_each_no_counts() -> None:
    likely = np.array([[0.5, 0.25], [0.5, 0.25], [1.0, 0.0]])
    given = np.array([[True, False], [False, True], [True, False]])

    assert certainty(likely, given).tolist() == [0.375, 0.125, 1.0]


def test_every_point_of_the_curve_can_be_reached() -> None:
    points = curve(CONFIDENCE, CORRECT)

    assert [point.threshold for point in points] == [0.3, 0.6, 0.8, 0.9]
    assert points == [at(point.threshold, CONFIDENCE, CORRECT) for point in points]


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    confidence = np.random.default_rng(0).random(5_000)

    points = curve(confidence, confidence > 0.5)

    assert len(points) == 200
    assert points[0].coverage == 1.0
    assert points[-1].threshold == confidence.max()


def test_the_threshold_for_an_accuracy_withholds_least() -> None:
    assert threshold_for(0.7, CONFIDENCE, CORRECT) == 0.6
    assert threshold_for(1.0, CONFIDENCE, CORRECT) == 0.9
    assert threshold_for(1.0, CONFIDENCE, np.zeros(5, bool)) is None


def test_nothing_answered_has_no_curve() -> None:
    assert curve(CONFIDENCE[:0], CORRECT[:0]) == []
