from itertools import pairwise

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import log_loss

from services.training.reporting.calibration import (
    expected_error,
    reliability,
    sigmoid_loss,
    softmax_loss,
    temperature,
)


def create_logits(rows: int = 4_000, *, times: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is true to the labels drawn from it, made `times` as sure."""
    chance = np.random.default_rng(0)
    logits = chance.normal(0, 1.5, (rows, 5))
    shares = np.exp(log_softmax(logits, axis=1))
    labels = np.array([chance.choice(5, p=row) for row in shares])
    return logits * times, labels


def test_a_bin_holds_its_upper_end() -> None:
    bins = reliability(np.array([1 / 15, 1 / 15 + 1e-9, 1.0]), np.array([False, True, True]))

    assert [(one.count, one.accuracy) for one in bins] == [(1, 0.0), (1, 1.0), (1, 1.0)]


def test_the_expected_error_is_that_of_its_definition() -> None:
    chance = np.random.default_rng(1)
    confidence, correct = chance.random(500), chance.random(500) < 0.6
    edges = np.linspace(0, 1, 16)
    by_hand = 0.0
    for low, high in pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            by_hand += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())

    assert expected_error(reliability(confidence, correct)) == pytest.approx(by_hand)


def test_losses_are_those_of_scikit_learn() -> None:
    logits, labels = create_logits(50)
    shares = np.exp(log_softmax(logits, axis=1))
    many = np.eye(5, dtype=int)[labels]

    assert softmax_loss(logits, labels) == pytest.approx(log_loss(labels, shares, labels=range(5)))
    own = [log_loss(many[:, label], 1 / (1 + np.exp(-logits[:, label]))) for label in range(5)]
    assert sigmoid_loss(logits, many) == pytest.approx(np.mean(own))


@pytest.mark.parametrize("times", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_made_a_model_too_sure(times: float) -> None:
    logits, labels = create_logits(times=times)

    fitted = temperature(logits, labels)

    assert fitted == pytest.approx(times, rel=0.1)
    assert softmax_loss(logits / fitted, labels) <= softmax_loss(logits, labels)


def test_a_few_right_answers_do_not_make_a_model_certain() -> None:
    logits = np.tile([2.0, 0.0], (10, 1))

    assert temperature(logits, np.zeros(10, int)) > 0.4
    assert temperature(logits[:0], np.zeros(0, int)) == 1.0
