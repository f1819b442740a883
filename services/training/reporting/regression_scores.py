"""How far predicted scores lie from the true ones, by scikit-learn's and scipy's definitions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from services.training.examples import ScoreExample
from services.training.reporting.report import Errors, Scores, WorstPrediction

_WORST = 100
_SHOWN_CHARACTERS = 2_000
_RESAMPLES = 2_000

Numbers = NDArray[np.float64]


def score(examples: Sequence[ScoreExample], answers: Numbers) -> Scores:
    """Scores of predicted numbers, of which R² decides; its interval is by bootstrap over the rows."""
    truth = np.array([example.score for example in examples])
    errors = answers - truth
    value = r2(truth, answers)
    return Scores(
        metric="r2",
        value=value,
        interval=_bootstrap_r2(truth, errors),
        test_rows=len(examples),
        errors=Errors(
            mae=float(np.abs(errors).mean()),
            rmse=float(np.sqrt(np.square(errors).mean())),
            r2=value,
            pearson=correlation(truth, answers),
            spearman=correlation(rankdata(truth), rankdata(answers)),
        ),
        worst=_worst(examples, answers),
    )


def r2(truth: Numbers, answers: Numbers) -> float:
    """The share of the variance that is explained; 0 where there is none to explain."""
    spread = float(np.square(truth - truth.mean()).sum())
    return 1 - float(np.square(answers - truth).sum()) / spread if spread else 0.0


def correlation(one: Numbers, other: Numbers) -> float:
    """Pearson's coefficient; of ranks it is Spearman's. 0 where one side is constant."""
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt(np.square(one).sum() * np.square(other).sum()))
    return float((one * other).sum()) / scale if scale else 0.0


def _bootstrap_r2(truth: Numbers, errors: Numbers, seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval, by drawing rows again with replacement."""
    rows = len(truth)
    draws = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=_RESAMPLES)
    # Var = E[x²] - E[x]², about the mean of all rows, so that little is lost to rounding.
    centred = truth - truth.mean()
    spread = draws @ np.square(centred) - np.square(draws @ centred) / rows
    lost = draws @ np.square(errors)
    some = spread > 0
    if not some.any():
        return 0.0, 0.0
    low, high = np.quantile(1 - lost[some] / spread[some], (0.025, 0.975))
    return float(low), float(high)


def _worst(examples: Sequence[ScoreExample], answers: Numbers) -> list[WorstPrediction]:
    rows = [
        WorstPrediction(
            row=example.row,
            text="\n".join(filter(None, (example.first, example.second)))[:_SHOWN_CHARACTERS],
            truth=f"{example.score:g}",
            predicted=f"{answer:.3g}",
            score=abs(float(answer) - example.score),
        )
        for example, answer in zip(examples, answers, strict=True)
    ]
    return sorted(rows, key=lambda one: -one.score)[:_WORST]
