"""What more rows would likely bring, from how the error fell so far. Free of torch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.training.reporting.report import CurvePoint, Forecast, LearningCurve

_RESAMPLES = 1_000
_HALF = 0.5
# Rows to add: what a person labels in an afternoon, and as many again as there are.
AFTERNOON = 200

Floats = NDArray[np.float64]


def learning_curve(
    sizes: Sequence[int], lost: Floats, weight: Floats | None = None, seed: int = 0
) -> LearningCurve:
    """The curve and two forecasts of a metric that is 1 - Σ lost / Σ weight over the test rows.

    lost, weight: (sizes, test rows); a wrong answer and 1 for accuracy, labels too many and too few beside
    those given and true for micro F1, squared errors beside squared distances from the mean for R².

    The error is taken to fall by a power of the rows, as C. Cortes et al., "Learning curves: asymptotic
    values and rate of convergence" (1993), and J. Hestness et al., "Deep learning scaling is predictable,
    empirically" (2017), have it; by the last three sizes, because it falls faster at first. The range holds
    95 % of what other test rows, and either of the last two steps alone, would have told. That the trend goes
    on is an assumption.
    """
    lost = np.asarray(lost, np.float64)
    weight = np.ones_like(lost) if weight is None else np.asarray(weight, np.float64)
    rows = lost.shape[1]
    draws = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=_RESAMPLES)
    # Sizes down, resamples across.
    resampled = _errors(draws @ lost.T, draws @ weight.T).T
    errors = _errors(lost.sum(1), weight.sum(1))
    # Each resample once by either step.
    powers = np.concatenate([_power(sizes, resampled, step) for step in ((-3, -2), (-2, -1))])
    power, last = float(_power(sizes, errors, (-3, -1))), sizes[-1]
    now = lost[-1].sum() / max(weight[-1].sum(), _HALF)

    def forecast(more: int) -> Forecast:
        factor = (last + more) / last
        gains = np.tile(resampled[-1], 2) * (1 - factor**-powers)
        low, high = np.quantile(gains, (0.025, 0.975))
        return Forecast(more=more, gain=float(now * (1 - factor**-power)), interval=(float(low), float(high)))

    return LearningCurve(
        points=[
            CurvePoint(rows=size, value=float(1 - wrong / max(all_, _HALF)))
            for size, wrong, all_ in zip(sizes, lost.sum(1), weight.sum(1), strict=True)
        ],
        forecasts=[forecast(more) for more in sorted({AFTERNOON, last})],
    )


def _errors(lost: Floats, weight: Floats) -> Floats:
    """The shares that are lost; half a row is added to each, so that none is zero."""
    return (lost + _HALF) / np.maximum(weight, _HALF)


def _power(sizes: Sequence[int], errors: Floats, step: tuple[int, int]) -> Floats:
    """The power by which the error falls from one size to another, never below 0; errors: (sizes, …)."""
    first, last = step
    grown = np.log(sizes[last] / sizes[first])
    powers: Floats = np.maximum(0.0, np.log(errors[first] / errors[last]) / grown)
    return powers
