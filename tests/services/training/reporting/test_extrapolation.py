import numpy as np
import pytest
from sklearn.metrics import r2_score

from services.training.reporting.extrapolation import learning_curve


def create_answers(sizes: list[int], power: float, rows: int = 20_000) -> np.ndarray:
    """(sizes, rows): wrong on a share of 0.8 · size^-power, each size wrong where the next one is."""
    shares = [0.8 * size**-power for size in sizes]
    return np.array([np.arange(rows) >= share * rows for share in shares])


def test_a_power_law_is_gone_on_with() -> None:
    sizes = [100, 200, 400, 800, 1_600]

    curve = learning_curve(sizes, ~create_answers(sizes, 0.3))

    by_more = {one.more: one for one in curve.forecasts}
    expected = 0.8 * (1_600**-0.3 - 3_200**-0.3)
    assert by_more[1_600].gain == pytest.approx(expected, rel=0.02)
    assert by_more[1_600].interval[0] < expected < by_more[1_600].interval[1]
    assert 0 < by_more[200].gain < by_more[1_600].gain


def test_what_grew_worse_is_not_promised_to_grow_better() -> None:
    sizes = [10, 20, 40, 80, 160]
    right = np.ones((5, 50), bool)
    right[4, :20] = False

    curve = learning_curve(sizes, ~right)

    assert [forecast.gain for forecast in curve.forecasts] == [0.0, 0.0]
    assert [point.value for point in curve.points] == [1.0, 1.0, 1.0, 1.0, 0.6]


def test_a_curve_of_r2_says_what_the_mean_and_the_squares_say() -> None:
    chance = np.random.default_rng(0)
    truth, noise = chance.normal(50, 10, 400), chance.normal(0, 1, 400)
    sizes = [10, 20, 40, 80, 160]
    errors = np.stack([noise * 30 * size**-0.5 for size in sizes])
    spread = np.tile(np.square(truth - truth.mean()) / truth.var(), (5, 1))

    curve = learning_curve(sizes, np.square(errors) / truth.var(), spread)

    assert curve.points[2].value == pytest.approx(r2_score(truth, truth + errors[2]))
    assert curve.forecasts[0].gain == pytest.approx((1 - curve.points[-1].value) / 2, rel=0.05)
