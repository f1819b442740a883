"""What a month will come to follows from the pace of its days."""

import pytest

from portal.forecast import month_end


def test_a_steady_pace_goes_on() -> None:
    forecast = month_end([2.0] * 28, [2.0] * 10, days_left=20)

    assert forecast is not None
    assert (forecast.low, forecast.likely, forecast.high) == pytest.approx((60, 60, 60))


def test_restless_days_make_a_wide_range_around_the_likely_end() -> None:
    forecast = month_end([0.0, 4.0] * 14, [2.0] * 10, days_left=20)

    assert forecast is not None
    assert forecast.likely == pytest.approx(60, abs=2)
    assert forecast.low < 55
    assert forecast.high > 70


def test_what_is_spent_is_spent() -> None:
    forecast = month_end([0.0, 9.0] * 14, [40.0], days_left=0)

    assert forecast is not None
    assert forecast.low >= 40


def test_today_lacks_what_it_has_not_seen_yet() -> None:
    early = month_end([2.0] * 28, [2.0, 0.5], days_left=0)
    late = month_end([2.0] * 28, [2.0, 3.0], days_left=0)

    assert early is not None
    assert late is not None
    assert (early.likely, late.likely) == pytest.approx((4, 5))


@pytest.mark.parametrize(("before", "so_far"), [([], []), ([], [5.0]), ([0.0] * 30, [0.0, 5.0])])
def test_without_a_pace_nothing_is_told(before: list[float], so_far: list[float]) -> None:
    assert month_end(before, so_far, days_left=10) is None
