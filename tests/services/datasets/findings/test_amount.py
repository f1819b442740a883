import pytest

from services.datasets.examples import ScoreExample
from services.datasets.findings.amount import meter
from services.datasets.findings.catalogue import Code
from tests.services.datasets.factories import sentence, texts
from tests.services.datasets.findings.examined import found


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (9, "9 rows of a typical label: too few to learn from. Aim at 50."),
        (10, "10 rows of a typical label: enough for a first try. Aim at 50."),
        (50, "50 rows of a typical label: a fair start. From 200 on, more helps little."),
        (200, "200 rows of a typical label: plenty."),
    ],
)
def test_the_meter_says_how_much_is_enough(rows: int, verdict: str) -> None:
    assert meter(texts(a=rows, b=rows, rare=1)).verdict == verdict


def test_entities_are_counted_by_type_and_scores_by_row() -> None:
    assert meter([sentence(1, "Rome/B-place", "Bonn/B-place")]).have == 2
    assert meter([ScoreExample(1, "a", "", 0.5)]).unit == "rows"
    assert meter([]).have == 0


def test_less_than_a_fair_start_is_a_finding() -> None:
    assert found(texts(a=49, b=49), Code.too_little_data) is not None
    assert found(texts(a=50, b=50), Code.too_little_data) is None
