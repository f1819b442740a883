import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from plotly import graph_objects as go

from portal import charts, use_charts
from services.billing.first_plan import PAY_AS_YOU_GO
from services.metering.meters import METERS
from services.training.reporting.report import Baseline, Confusion

ROOT = Path(__file__).parents[2]
BASELINES = [Baseline(name="majority", value=0.1), Baseline(name="tfidf-logistic-regression", value=0.8)]


def create_confusion(labels: int) -> Confusion:
    """Every label has ten rows; two rows of the first go to the last."""
    counts = [[10 if row == column else 0 for column in range(labels)] for row in range(labels)]
    counts[0][0], counts[0][-1] = 8, 2
    return Confusion(labels=[f"label {number}" for number in range(labels)], counts=counts)


def title(figure: go.Figure) -> str:
    text: str = figure.layout.title.text
    return text


def test_the_palette_is_the_theme_s() -> None:
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["theme"]

    ours = [charts.BLUE, charts.TEAL, charts.ORANGE, charts.VIOLET, charts.GREEN, charts.GRAY]

    assert theme["chartCategoricalColors"] == ours


def test_every_meter_and_every_price_has_its_colour() -> None:
    titles = {price.title for price in PAY_AS_YOU_GO.prices}

    assert set(use_charts.USE_COLOURS) == set(METERS) | titles
    assert len({use_charts.USE_COLOURS[name] for name in METERS}) == len(METERS)
    assert len({use_charts.USE_COLOURS[title] for title in titles}) == len(titles)


FIGURES: list[Callable[[], go.Figure]] = [
    lambda: charts.label_balance({"a": 3, "b": 1}),
    lambda: charts.label_balance({f"label {number}": number + 1 for number in range(77)}),
    lambda: charts.loss([(1, 4.0), (2, 1.0)]),
    lambda: charts.loss([(1, 4.0)]),
    lambda: charts.score([(1.0, 0.5)], "f1"),
    lambda: charts.against_baselines(0.9, (0.88, 0.92), BASELINES, "accuracy"),
    lambda: charts.confusion(create_confusion(3)),
    lambda: charts.confusion(create_confusion(77)),
    lambda: charts.scores({"a": 0.7, "b": 0.3}),
    lambda: use_charts.by_day([date(2026, 11, 1)], {"predictions": [2.0]}, unit="predictions"),
]


@pytest.mark.parametrize("figure", FIGURES)
def test_a_chart_says_its_finding_and_leaves_the_ground_to_the_theme(figure: Callable[[], go.Figure]) -> None:
    drawn = figure()

    assert title(drawn)
    assert drawn.layout.paper_bgcolor is None
    assert drawn.layout.plot_bgcolor is None
    assert drawn.layout.font.color is None


def test_balance_names_the_two_ends() -> None:
    figure = charts.label_balance({"rare": 10, "common": 45})

    assert title(figure) == "“common” occurs 4.5 times as often as “rare” (45 and 10 rows)"
    assert list(figure.data[0].y) == ["common", "rare"]


def test_balanced_labels_are_called_so() -> None:
    assert title(charts.label_balance({"a": 10, "b": 12})) == "The 2 labels are balanced: 10 to 12 rows each"


def test_labels_that_only_train_have_another_colour() -> None:
    figure = charts.label_balance({"a": 10, "b": 2}, train_only=["b"])

    assert list(figure.data[0].marker.color) == [charts.OURS, charts.WRONG]


def test_many_labels_fit_into_a_screen_without_names() -> None:
    figure = charts.label_balance({f"label {number}": number + 1 for number in range(77)})

    assert figure.layout.height < 400
    assert figure.layout.xaxis.showticklabels is False


def test_the_loss_says_where_it_came_from() -> None:
    assert title(charts.loss([(1, 4.34), (90, 0.712)])) == "Loss went from 4.34 to 0.71"


def test_a_loss_that_was_told_once_is_a_point() -> None:
    figure = charts.loss([(1, 0.384)])

    assert title(figure) == "Loss was 0.38 at step 1"
    assert figure.data[1].mode == "markers"


def test_first_steps_have_no_halves_between_them() -> None:
    assert charts.loss([(1, 4.0), (2, 3.0), (4, 2.0)]).layout.xaxis.dtick == 1
    assert charts.loss([(1, 4.0), (90, 2.0)]).layout.xaxis.dtick is None


def test_the_score_tells_its_best_epoch() -> None:
    figure = charts.score([(1.0, 0.4), (2.0, 0.91), (3.0, 0.9)], "accuracy")

    assert title(figure) == "Accuracy reached 91.0 % in epoch 2"


def test_a_low_score_has_a_scale_of_its_own() -> None:
    low = charts.score([(1.0, 0.011), (4 / 3, 0.018)], "token_likelihood")
    high = charts.score([(1.0, 0.4), (2.0, 0.91)], "token_likelihood")

    assert title(low) == "Token likelihood reached 1.8 % in epoch 1.33"
    assert low.layout.yaxis.range[1] < 0.03
    assert high.layout.yaxis.range[1] > 1


def test_a_score_from_before_the_training_is_called_so() -> None:
    assert title(charts.score([(0.0, 0.8)], "f1")) == "F1 reached 80.0 % before the first epoch"


def test_simple_methods_stand_in_the_order_of_their_worth() -> None:
    figure = charts.against_baselines(0.9, (0.88, 0.92), BASELINES, "accuracy")

    assert list(figure.data[1].y) == ["Counting words", "Always the most frequent label"]


def test_a_model_is_called_worse_than_a_simple_method_as_good_or_better() -> None:
    worse = charts.against_baselines(0.7, (0.6, 0.8), BASELINES, "accuracy")
    better = charts.against_baselines(0.9, (0.8, 0.95), BASELINES, "accuracy")
    even = charts.against_baselines(0.8002, (0.7, 0.9), BASELINES, "accuracy")

    assert title(worse) == "10.0 points worse than the best simple method (counting words)"
    assert title(even) == "As good as the best simple method (counting words)"
    assert title(better) == "10.0 points better than the best simple method (counting words)"


def test_the_matrix_counts_mistakes_and_keeps_them_apart_from_right_answers() -> None:
    figure = charts.confusion(create_confusion(3))
    right, wrong, _ = figure.data

    assert title(figure) == "2 of 30 test rows got the wrong label"
    assert right.z[0][0] == pytest.approx((8 / 10) ** 0.5)
    assert right.z[0][2] is None
    assert wrong.z[0][2] == pytest.approx((2 / 10) ** 0.5)
    assert wrong.z[1][1] is None
    assert wrong.text[0][2] == "2 of 10"


def test_a_matrix_row_without_examples_is_empty() -> None:
    figure = charts.confusion(Confusion(labels=["a", "b"], counts=[[0, 0], [1, 1]]))

    assert list(figure.data[0].z[0]) == [None, None]


def test_the_five_best_scores_stand_alone_and_the_rest_together() -> None:
    figure = charts.scores({"g": 0.05, "a": 0.5, "b": 0.2, "c": 0.1, "d": 0.06, "e": 0.05, "f": 0.04})
    bars = figure.data[0]

    assert list(bars.y) == ["a", "b", "c", "d", "e", "2 other labels"]
    assert bars.x[-1] == pytest.approx(0.09)
    assert title(figure) == "“a” with 50.0 %"


def test_days_stack_with_the_meters_colours() -> None:
    days = [date(2026, 11, 1), date(2026, 11, 2)]

    figure = use_charts.by_day(days, {"predictions": [1.0, 2.5], "training_seconds": [0.0, 1.0]}, unit="EUR")

    assert title(figure) == "Most on 2 November: €3.50"
    assert [bar.name for bar in figure.data] == ["Predictions", "Training"]
    assert figure.data[0].marker.color == use_charts.USE_COLOURS["predictions"]
    assert figure.layout.barmode == "stack"


def test_a_label_cannot_bring_markup_into_a_chart() -> None:
    hostile = "<a href='javascript:x'>b</a>"

    balance = charts.label_balance({hostile: 2, "b": 1})
    bars = charts.scores({hostile: 0.9, "b": 0.1})
    matrix = charts.confusion(Confusion(labels=[hostile, "b"], counts=[[1, 1], [0, 1]]))

    for name in (balance.data[0].y[0], bars.data[0].y[0], matrix.data[0].x[0], matrix.data[0].y[0]):
        assert "<a" not in name
        assert "&lt;a" in name


def test_spend_to_date_says_where_the_month_ends() -> None:
    month = [date(2026, 11, number) for number in range(1, 31)]

    figure = use_charts.spend_to_date(
        month, [1.0, 2.0], [2.0] * 31, currency="EUR", end=(20.0, 30.0, 40.0), budget=35.0
    )

    assert figure.layout.title.text == "This month comes to about €30.00 (€20.00 to €40.00)"
    by_name = {trace.name: list(trace.y) for trace in figure.data if trace.name}
    assert by_name["This month"] == [1.0, 3.0]
    assert by_name["Month before"][-1] == 60.0
    assert by_name["Forecast"] == [3.0, 30.0]
    assert figure.layout.shapes[0].y0 == 35.0


def test_a_month_that_is_over_has_no_forecast() -> None:
    month = [date(2026, 11, number) for number in range(1, 31)]

    figure = use_charts.spend_to_date(month, [1.0] * 30, [], currency="EUR", end=(20.0, 30.0, 40.0))

    assert figure.layout.title.text == "€30.00 so far"
    assert "Forecast" not in {trace.name for trace in figure.data}
