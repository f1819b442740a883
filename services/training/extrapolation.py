"""What more rows would likely bring, from how the error fell so far. Free of torch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.training.report import CurvePoint, Forecast, LearningCurve

_RESAMPLES = 1_000
# Rows to add: what a person labels in an afternoon, and as many again as there are.
AFTERNOON = 200


def learning_curve(sizes: Sequence[int], right: NDArray[np.bool_], seed: int = 0) -> LearningCurve:
    """The curve and two forecasts; right: (sizes, test rows), what a model of so many rows answered rightly.

    The error is taken to fall by a power of the rows, as C. Cortes et al., "Learning curves: asymptotic
    values and rate of convergence" (1993), and J. Hestness et al., "Deep learning scaling is predictable,
    empirically" (2017), have it; by the last three sizes, because it falls faster at first. The range holds
    95 % of what other test rows, and either of the last two steps alone, would have told. That the trend goes
    on is an assumption.
    """
    rows = right.shape[1]
    wrong = (~right).sum(1)
    draws = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=_RESAMPLES)
    # Sizes down, resamples across.
    resampled = (draws @ (~right).T).T
    # Each resample once by either step.
    powers = np.concatenate([_power(sizes, resampled, step) for step in ((-3, -2), (-2, -1))])
    power, error, last = float(_power(sizes, wrong, (-3, -1))), wrong[-1] / rows, sizes[-1]

    def forecast(more: int) -> Forecast:
        factor = (last + more) / last
        gains = np.tile(resampled[-1], 2) / rows * (1 - factor**-powers)
        low, high = np.quantile(gains, (0.025, 0.975))
        return Forecast(
            more=more, gain=float(error * (1 - factor**-power)), interval=(float(low), float(high))
        )

    return LearningCurve(
        points=[
            CurvePoint(rows=size, value=float(share))
            for size, share in zip(sizes, right.mean(1), strict=True)
        ],
        forecasts=[forecast(more) for more in sorted({AFTERNOON, last})],
    )


def _power(sizes: Sequence[int], wrong: NDArray[np.int64], step: tuple[int, int]) -> NDArray[np.float64]:
    """The power by which the error falls from one size to another, never below 0.

    wrong: (sizes, …); half a row is added to each, so that none is zero.
    """
    first, last = step
    fallen = np.log((wrong[first] + 0.5) / (wrong[last] + 0.5))
    grown = np.log(sizes[last] / sizes[first])
    powers: NDArray[np.float64] = np.maximum(0.0, fallen / grown)
    return powers
