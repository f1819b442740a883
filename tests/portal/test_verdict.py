import pytest

from portal.verdict import confused_pairs, headline
from services.training.recipe import Recipe, Task
from services.training.report import Baseline, Confusion, Report, RowCounts


def create_report(**figures: object) -> Report:
    values: dict[str, object] = {
        "task": Task.text_classification,
        "metric": "accuracy",
        "value": 0.9,
        "interval": (0.88, 0.92),
        "validation_value": 0.9,
        "test_rows": 500,
        "per_class": [],
        "macro_f1": 0.9,
        "weighted_f1": 0.9,
        "micro_f1": 0.9,
        "accuracy": 0.9,
        "confusion": None,
        "baselines": [Baseline(name="TF-IDF", value=0.8)],
        "worst": [],
        "rows": RowCounts(train=4000, validation=500, test=500),
        "truncated_rows": 0,
        "seconds": {},
        "base_model": "all-MiniLM-L6-v2",
        "recipe": Recipe(task=Task.text_classification),
        "data_hash": "0" * 64,
        "device": "cpu",
    }
    return Report.model_validate(values | figures)


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ({}, "Clearly better"),
        ({"interval": (0.79, 0.95)}, "within the margin of chance"),
        ({"value": 0.8}, "Not worth using yet"),
        ({"test_rows": 12}, "Only 12 test rows"),
    ],
)
def test_the_headline_dares_to_say_when_a_model_is_no_good(figures: dict[str, object], verdict: str) -> None:
    assert verdict in headline(create_report(**figures))


def test_the_most_frequent_confusions_come_first() -> None:
    confusion = Confusion(labels=["a", "b", "c"], counts=[[8, 2, 0], [0, 5, 5], [0, 0, 0]])

    pairs = confused_pairs(confusion)

    assert [(pair.truth, pair.predicted, pair.rows, pair.share) for pair in pairs] == [
        ("b", "c", 5, 0.5),
        ("a", "b", 2, 0.2),
    ]


def test_only_so_many_pairs_are_told() -> None:
    confusion = Confusion(labels=["a", "b", "c"], counts=[[1, 1, 1], [1, 1, 1], [1, 1, 1]])

    assert len(confused_pairs(confusion, limit=4)) == 4
