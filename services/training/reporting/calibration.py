"""Whether a model is as often right as it is sure: reliability, its error, and the temperature that mends it.

Free of torch, so that the portal may compute with it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from services.training.reporting.report import Bin

BINS = 15
# Spread of the logarithm of the temperature, before any row was seen. It holds back the few rows of a small
# validation split, where all right would otherwise mean certain; a thousand rows hardly feel it.
_SPREAD = 0.5
_FARTHEST = np.log(10.0)

Floats = NDArray[np.floating]


def reliability(confidence: Floats, correct: NDArray[np.bool_]) -> list[Bin]:
    """Fifteen bins of equal width, those that hold answers; a bin holds its upper end (Guo et al. 2017).

    confidence: (answers), of the answer that was given; correct: (answers), whether it is right.
    """
    places = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    return [
        Bin(
            low=place / BINS,
            high=(place + 1) / BINS,
            count=int(inside.sum()),
            confidence=float(confidence[inside].mean()),
            accuracy=float(correct[inside].mean()),
        )
        for place in range(BINS)
        if (inside := places == place).any()
    ]


def expected_error(bins: list[Bin]) -> float:
    """Expected calibration error: how far confidence and accuracy are apart, over bins by their answers.

    M. P. Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning" (2015), with the
    bins of C. Guo et al., "On calibration of modern neural networks" (2017).
    """
    answers = sum(one.count for one in bins)
    return sum(one.count * abs(one.accuracy - one.confidence) for one in bins) / max(1, answers)


def softmax_loss(logits: Floats, targets: NDArray[np.integer]) -> float:
    """Mean negative log-likelihood; logits: (rows, labels), targets: (rows)."""
    shifted = logits - logits.max(1, keepdims=True)
    total = np.log(np.exp(shifted).sum(1))
    return float(np.mean(total - shifted[np.arange(len(targets)), targets]))


def sigmoid_loss(logits: Floats, targets: NDArray[np.integer]) -> float:
    """Mean negative log-likelihood where each label is a question of its own; both: (rows, labels)."""
    return float(np.mean(np.logaddexp(0, logits) - logits * targets))


def temperature(
    logits: Floats,
    targets: NDArray[np.integer],
    loss: Callable[[Floats, NDArray[np.integer]], float] = softmax_loss,
) -> float:
    """What to divide logits by, so that the loss on validation rows is least (Guo et al. 2017).

    Its logarithm has a normal prior around zero; no answer changes, only how sure it is said to be.
    """
    if not len(targets):
        return 1.0
    logits = np.asarray(logits, np.float64)

    def cost(logarithm: float) -> float:
        return loss(logits / np.exp(logarithm), targets) + (logarithm / _SPREAD) ** 2 / (2 * len(targets))

    best = minimize_scalar(cost, bounds=(-_FARTHEST, _FARTHEST), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(best.x))
