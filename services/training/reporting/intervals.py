"""How far a score measured on so many rows may be from the truth."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

# The 97.5 % quantile of the standard normal distribution: 95 % lies between both tails.
_Z = 1.959963984540054
_RESAMPLES = 2_000


def wilson(correct: int, rows: int) -> tuple[float, float]:
    """95 % interval of a share, by E. B. Wilson, "Probable inference" (1927)."""
    share, spread = correct / rows, _Z**2 / rows
    centre = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * sqrt(share * (1 - share) / rows + spread / (4 * rows))
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_likelihood(
    losses: NDArray[np.float64], tokens: NDArray[np.int64], seed: int = 0
) -> NDArray[np.float64]:
    """(resamples): the likelihood per token, exp(−Σ losses / Σ tokens), of conversations drawn again.

    losses: (conversations), the negative log-likelihood of each, in nats. The same seed draws the same
    conversations, so that two models can be compared draw by draw.
    """
    count = len(losses)
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=_RESAMPLES)
    likelihood: NDArray[np.float64] = np.exp(-(draws @ losses) / (draws @ tokens))
    return likelihood


def bootstrap_f1(counts: NDArray[np.int64], seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of micro F1, by drawing sentences again with replacement.

    counts: (sentences, 3), the correct, predicted and true entities of each.
    """
    sentences = len(counts)
    draws = np.random.default_rng(seed).multinomial(
        sentences, np.full(sentences, 1 / sentences), size=_RESAMPLES
    )
    correct, predicted, true = (draws @ counts).T
    scores = 2 * correct / np.maximum(predicted + true, 1)
    low, high = np.quantile(scores, (0.025, 0.975))
    return float(low), float(high)
