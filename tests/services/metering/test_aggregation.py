"""One figure of a period's readings, whatever the order in which they came."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metering.aggregation import Aggregation, Reading, aggregated

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(days=1)
READINGS = [
    Reading(START - timedelta(hours=1), Decimal(2), "before"),
    Reading(START, Decimal(3), "a"),
    Reading(START + timedelta(hours=6), Decimal(5), "b"),
    Reading(START + timedelta(hours=12), Decimal(1), "a"),
    Reading(END, Decimal(100), "after"),
]


@pytest.mark.parametrize(
    ("how", "figure"),
    [
        (Aggregation.sum, "9"),
        (Aggregation.count, "3"),
        (Aggregation.max, "5"),
        (Aggregation.unique, "2"),
        (Aggregation.latest, "1"),
        (Aggregation.time_weighted, "60"),  # 3 for 6 hours, 5 for 6, 1 for 12
    ],
)
@given(order=st.permutations(READINGS))
def test_a_period_has_one_figure(how: Aggregation, figure: str, order: list[Reading]) -> None:
    assert aggregated(how, order, start=START, end=END) == Decimal(figure)


@pytest.mark.parametrize("how", Aggregation)
def test_nothing_is_nothing(how: Aggregation) -> None:
    assert aggregated(how, [], start=START, end=END) == 0


def test_a_level_from_before_stands_until_it_is_changed() -> None:
    level = [Reading(START - timedelta(days=40), Decimal("0.5"))]

    assert aggregated(Aggregation.time_weighted, level, start=START, end=END) == Decimal(12)


@given(cuts=st.lists(st.integers(1, 86_399), unique=True))
def test_a_level_can_be_weighed_in_parts(cuts: list[int]) -> None:
    edges = [START, *(START + timedelta(seconds=cut) for cut in sorted(cuts)), END]

    parts = [
        aggregated(Aggregation.time_weighted, READINGS, start=start, end=end)
        for start, end in pairwise(edges)
    ]

    # Each part is cut to millionths, so that together they are never more than the whole.
    assert 0 <= Decimal(60) - sum(parts) < Decimal("0.000001") * len(parts)
