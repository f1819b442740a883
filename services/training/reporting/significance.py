"""Whether one way of answering is better than another on the same rows, or only seems so. Free of torch.

A row counts as three numbers: right answers, answers given, true answers. With one label for a row they are
(1 or 0, 1, 1), and micro F1 over them is accuracy; of a sentence they are its entities.
"""

from math import comb

import numpy as np
from numpy.typing import NDArray

from services.training.reporting.report import Difference

RESAMPLES = 2_000
# The usual line between chance and more.
SURE = 0.05

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]


def counts(truth: list[list[str]], predicted: list[list[str]]) -> Counts:
    """(rows, 3): right, given and true answers of each row, which are compared as sets."""
    pairs = [(set(true), set(given)) for true, given in zip(truth, predicted, strict=True)]
    return np.array([(len(t & p), len(p), len(t)) for t, p in pairs], np.int64).reshape(-1, 3)


def score(rows: Counts) -> float:
    """Micro F1 over rows of counts: accuracy where each row has one label."""
    right, given, true = map(int, rows.sum(0))
    return 2 * right / max(1, given + true)


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p of so many rows that only the first, and only the second, answers rightly.

    Q. McNemar, "Note on the sampling error of the difference between correlated proportions" (1947), exactly:
    by the binomial distribution with one half.
    """
    rows, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(comb(rows, number) for number in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << rows))


def compare(first: Counts, second: Counts, seed: int = 0) -> Difference:
    """How much better the first answers the same rows than the second, and how surely.

    The interval is the 95 % percentile interval of the paired bootstrap, which draws rows with replacement
    (B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993). The p-value is McNemar's where
    each row has one label, otherwise the paired bootstrap's, as P. Koehn, "Statistical significance tests for
    machine translation evaluation" (2004).
    """
    rows = len(first)
    draws = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES)
    apart = _scores(draws @ first) - _scores(draws @ second)
    low, high = np.quantile(apart, (0.025, 0.975))
    better, worse = _wins(first, second)
    if _one_label_each(first) and _one_label_each(second):
        p_value = mcnemar(better, worse)
    else:
        tail = min(int((apart <= 0).sum()), int((apart >= 0).sum()))
        p_value = min(1.0, 2 * (tail + 1) / (RESAMPLES + 1))
    return Difference(
        value=score(first) - score(second),
        interval=(float(low), float(high)),
        p_value=p_value,
        rows=rows,
        only_first=better,
        only_second=worse,
    )


def compare_scores(truth: Numbers, first: Numbers, second: Numbers, seed: int = 0) -> Difference:
    """How much more of the truth's variance the first explains than the second (R²), and how surely.

    All are (rows). By the paired bootstrap, as of several labels; a row is answered better by whoever is
    closer.
    """
    rows = len(truth)
    draws = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES)
    # Of the same draw both have the same variance to explain.
    centred = truth - truth.mean()
    spread = draws @ np.square(centred) - np.square(draws @ centred) / rows
    one, other = np.square(first - truth), np.square(second - truth)
    some = spread > 0
    apart = (draws @ (other - one))[some] / spread[some]
    if not some.any():
        apart = np.zeros(1)
    low, high = np.quantile(apart, (0.025, 0.975))
    tail = min(int((apart <= 0).sum()), int((apart >= 0).sum()))
    return Difference(
        value=float((other - one).sum() / max(float(np.square(centred).sum()), 1e-12)),
        interval=(float(low), float(high)),
        p_value=min(1.0, 2 * (tail + 1) / (RESAMPLES + 1)),
        rows=rows,
        only_first=int((one < other).sum()),
        only_second=int((other < one).sum()),
    )


def _scores(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = 2 * sums[:, 0] / np.maximum(1, sums[:, 1] + sums[:, 2])
    return shares


def _wins(first: Counts, second: Counts) -> tuple[int, int]:
    """Rows that only the first, and only the second, answers without a mistake."""
    one, two = ((rows[:, 0] == rows[:, 1]) & (rows[:, 0] == rows[:, 2]) for rows in (first, second))
    return int((one & ~two).sum()), int((two & ~one).sum())


def _one_label_each(rows: Counts) -> bool:
    return bool((rows[:, 1:] == 1).all())
