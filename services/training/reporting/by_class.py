"""Validation scores of each class while a model trains, as one metric event carries them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

# What stands before a class's name among an event's values.
PREFIX = "class/"
# Of more classes than these the worst are told: an event is a row of the database.
MOST = 50


def of_answers(truth: ArrayLike, answers: ArrayLike, names: Sequence[str]) -> dict[str, float]:
    """F1 of each class; truth and answers: (rows), numbers of classes, or (rows, classes), which ones."""
    true, said = (np.asarray(one) for one in (truth, answers))
    if true.ndim == 1:
        classes = np.arange(len(names))
        true, said = true[:, None] == classes, said[:, None] == classes
    true = true > 0
    counts = ((true & said).sum(0), said.sum(0), true.sum(0))
    return of_counts(*(dict(zip(names, map(int, count), strict=True)) for count in counts))


def of_counts(
    correct: Mapping[str, int], predicted: Mapping[str, int], true: Mapping[str, int]
) -> dict[str, float]:
    """F1 of each class by its counts; one that is neither there nor predicted has none."""
    scores = {
        name: 2 * correct.get(name, 0) / both
        for name in true.keys() | predicted.keys()
        if (both := predicted.get(name, 0) + true.get(name, 0))
    }
    worst = sorted(scores, key=lambda name: (scores[name], name))[:MOST]
    return {f"{PREFIX}{name}": round(scores[name], 4) for name in worst}
