"""What a threshold buys: the more unsure answers a model withholds, the more of the rest are right.

Selective classification after R. El-Yaniv and Y. Wiener, "On the foundations of noise-free selective
classification" (2010). Free of torch: the portal draws with it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_POINTS = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a threshold comes to: the share of answers that are given, and how many of these are right."""

    threshold: float
    coverage: float
    # None where every answer is withheld.
    accuracy: float | None


def certainty(probabilities: NDArray[np.floating], given: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(rows), how likely every yes and no of a row is right, where each were a question by itself.

    probabilities, given: (rows, labels), of several labels for a text: how likely each is, and whether it is
    given. On GoEmotions rows were more often right at every share of answers than where the least certain
    label alone decides, and the figure was closer to the share that is right.
    """
    right = np.where(given, probabilities, 1 - probabilities).astype(np.float64)
    whole: NDArray[np.float64] = right.prod(1)
    return whole


def at(threshold: float, confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> Outcome:
    """What comes of giving only answers with a confidence of at least the threshold."""
    given = confidence >= threshold
    count = int(given.sum())
    accuracy = float(correct[given].mean()) if count else None
    return Outcome(threshold, count / max(1, len(confidence)), accuracy)


def curve(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> list[Outcome]:
    """From every answer given to hardly any, in at most two hundred points; every point can be reached."""
    order = np.argsort(-confidence, kind="stable")
    ranked, right = confidence[order], np.cumsum(correct[order])
    # Answers of the same confidence are given or withheld together.
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else np.array([], int)
    if len(last) > _MOST_POINTS:
        last = last[np.unique(np.linspace(0, len(last) - 1, _MOST_POINTS).round().astype(int))]
    return [
        Outcome(float(ranked[place]), (place + 1) / len(ranked), float(right[place] / (place + 1)))
        for place in last[::-1]
    ]


def threshold_for(
    accuracy: float, confidence: NDArray[np.floating], correct: NDArray[np.bool_]
) -> float | None:
    """The threshold that withholds least while so large a share of the answers is right; None has none."""
    good = [one for one in curve(confidence, correct) if (one.accuracy or 0.0) >= accuracy]
    return max(good, key=lambda one: one.coverage).threshold if good else None
