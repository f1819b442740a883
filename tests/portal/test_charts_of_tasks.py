"""Charts of tasks whose figures are no shares, or whose answers are several."""

import pytest

from portal import charts
from services.training.reporting.report import Baseline


def test_a_coefficient_is_written_as_one_and_may_be_below_nothing() -> None:
    baselines = [Baseline(name="mean", value=-0.01), Baseline(name="tfidf-ridge", value=0.3)]

    figure = charts.against_baselines(0.5, (0.4, 0.6), baselines, "r2")

    assert figure.layout.title.text == "0.20 better than the best simple method (counting words)"
    assert figure.data[0].texttemplate == "%{x:.2f}"


def test_a_model_worse_than_nothing_is_shown_as_such() -> None:
    figure = charts.against_baselines(-0.4, (-0.6, 0.1), [Baseline(name="mean", value=0.0)], "r2")

    assert figure.layout.xaxis.range == (pytest.approx(-0.4), 1.01)


def test_labels_that_reach_their_own_threshold_are_coloured_and_stand_first() -> None:
    figure = charts.labels_given({"a": 0.5, "b": 0.3, "c": 0.1}, {"a": 0.6, "b": 0.2, "c": 0.5})

    bars, marks = figure.data
    assert figure.layout.title.text == "1 label of 3"
    assert list(bars.y) == ["b", "a", "c"]
    assert list(bars.marker.color) == [charts.OURS, charts.REST, charts.REST]
    assert list(marks.x) == [0.2, 0.6, 0.5]
