"""Figures as people read them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from portal import format as words
from services.billing.money import Money

NOON = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("micros", "currency", "text"),
    [
        (0, "EUR", "€0.00"),
        (1_230_000, "EUR", "€1.23"),
        (1_235_000, "EUR", "€1.24"),
        (-500_000, "EUR", "−€0.50"),
        (1_234_567_890_000, "USD", "$1,234,567.89"),
        (7_000_000, "CHF", "CHF 7.00"),
        (1_500_000, "JPY", "¥2"),
        (1_234_500, "KWD", "KWD 1.235"),
        (4_999, "EUR", "< €0.01"),
        (5_000, "EUR", "€0.01"),
        (-4_999, "EUR", "> −€0.01"),
    ],
)
def test_an_amount_has_the_digits_of_its_currency(micros: int, currency: str, text: str) -> None:
    assert words.money(micros, currency) == text


def test_a_value_of_money_reads_like_its_micro_units() -> None:
    assert words.amount(Money(3_780_000, "EUR")) == "€3.78"


@pytest.mark.parametrize(
    ("price", "text"),
    [
        ("0.0001", "€0.00010"),
        ("0.00012", "€0.00012"),
        ("0.002", "€0.0020"),
        ("0.20", "€0.20"),
        ("7.2", "€7.20"),
        ("1250", "€1,250.00"),
        ("0", "€0.00"),
    ],
)
def test_a_small_unit_price_keeps_digits_enough(price: str, text: str) -> None:
    assert words.unit_price(Decimal(price), "EUR") == text


def test_a_range_of_equal_looks_is_one_figure() -> None:
    assert words.money_range(10_000, 30_000, "EUR") == "€0.01 to €0.03"
    assert words.money_range(10_000, 12_000, "EUR") == "€0.01"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.84, "0.8 s"),
        (42.4, "42 s"),
        (59.7, "1 min"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_a_measured_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(38, "38 s"), (171, "3 min"), (7800, "2 h"), (200_000, "2 d")])
def test_a_rough_duration_has_one_unit(seconds: float, text: str) -> None:
    assert words.rough(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2, "a few seconds"),
        (41, "about 40 s"),
        (58, "about 1 min"),
        (185, "about 3 min"),
        (5400, "about 1.5 h"),
        (7200, "about 2 h"),
    ],
)
def test_an_expected_duration_claims_no_more_than_is_known(seconds: float, text: str) -> None:
    assert words.about(seconds) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (20, 44, "20 to 45 s"),
        (40, 120, "40 s to 2 min"),
        (118, 121, "about 2 min"),
        (2, 40, "a few seconds to 40 s"),
    ],
)
def test_a_range_of_durations_names_its_unit_once(low: float, high: float, text: str) -> None:
    assert words.about_range(low, high) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1 row"), (0, "0 rows"), (12_345, "12,345 rows"), (Decimal("2.000000"), "2 rows")],
)
def test_a_count_agrees_with_its_noun(number: Decimal, text: str) -> None:
    assert words.count(number, "row") == text


def test_an_irregular_plural_is_given() -> None:
    assert words.count(2, "entry", "entries") == "2 entries"
    assert words.count(1234) == "1,234"


@pytest.mark.parametrize(
    ("number", "text"),
    [(950, "950"), (1200, "1.2k"), (18_778, "18.8k"), (999_960, "1M"), (3_400_000, "3.4M"), (2e9, "2G")],
)
def test_a_short_count_fits_a_card(number: float, text: str) -> None:
    assert words.short_count(number) == text


def test_shares_and_sizes() -> None:
    assert words.percent(0.93414) == "93.4 %"
    assert words.percent(0.5, 0) == "50 %"
    assert [words.size(bytes_) for bytes_ in (512, 1_400, 91_000_000)] == ["512 B", "1.4 kB", "91.0 MB"]


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=5, minutes=50), "5 h ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=40), "31 Jan 2026"),
        (timedelta(minutes=-5), "in 5 min"),
        (timedelta(days=-13, hours=-2), "in 13 days"),
    ],
)
def test_the_past_is_told_from_now(before: timedelta, text: str) -> None:
    assert words.ago(NOON - before, NOON) == text


def test_instants_are_told_in_the_zone_of_the_workspace() -> None:
    assert words.moment(NOON, ZoneInfo("Europe/Berlin")) == "12 Mar 2026, 13:00"
    assert words.day(date(2026, 3, 2)) == "2 Mar 2026"
    assert words.month(date(2026, 3, 2)) == "March 2026"
