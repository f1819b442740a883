import pytest

from portal.verdict import confused_pairs, headline
from services.training.reporting.report import Confusion
from tests.portal.reports import create_report


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ({}, "Better than keywords, sure: 10.0 points"),
        ({"interval": (0.79, 0.95)}, "Better than keywords, not sure"),
        ({"value": 0.8}, "Not better than keywords: do not pay for this"),
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
