"""Months, cut in a time zone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.period import Month, UnknownMonth


def test_a_month_is_read_and_written_alike() -> None:
    assert Month.parse("2026-11") == Month(2026, 11)
    assert str(Month(2026, 1)) == "2026-01"


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "26-01", "2026/01", "", "2026-01-01", "०१२३-०१", "x"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(UnknownMonth):
        Month.parse(text)


def test_a_month_has_its_first_and_last_day_and_a_next() -> None:
    assert (Month(2024, 2).first, Month(2024, 2).last) == (date(2024, 2, 1), date(2024, 2, 29))
    assert Month(2026, 12).next == Month(2027, 1)


def test_an_instant_falls_in_the_month_of_the_zones_wall_clock() -> None:
    last_hour = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)

    assert Month.of(last_hour, "UTC") == Month(2026, 10)
    assert Month.of(last_hour, "Europe/Berlin") == Month(2026, 11)
    assert Month.of(last_hour, "America/Los_Angeles") == Month(2026, 10)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"]),
)
def test_every_instant_lies_in_exactly_its_month(instant: datetime, zone: str) -> None:
    month = Month.of(instant, zone)

    assert month.start(zone) <= instant < month.end(zone)
    assert month.end(zone) == month.next.start(zone)
    assert month.end(zone) - month.start(zone) > timedelta(days=27)
