from hypothesis import given
from hypothesis import strategies as st

from services.datasets.findings.finding import excerpt, row_numbers


def test_the_spot_stands_between_what_is_around_it() -> None:
    shown = excerpt(7, f"{'before ' * 20}HERE{' after' * 20}", 140, 144)

    assert shown.text[shown.start : shown.end] == "HERE"
    assert shown.text.startswith("…")
    assert shown.text.endswith("…")
    assert len(shown.text) < 180


def test_a_short_text_is_shown_whole() -> None:
    shown = excerpt(7, "all of it", 0, 3)

    assert (shown.text, shown.start, shown.end) == ("all of it", 0, 3)


@given(st.text(max_size=400), st.integers(0, 400), st.integers(0, 400))
def test_a_mark_is_never_outside_of_what_is_shown(text: str, start: int, length: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))

    shown = excerpt(1, text, start, end)

    assert text[start:end].startswith(shown.text[shown.start : shown.end])
    assert 0 <= shown.start <= shown.end <= len(shown.text)


def test_row_numbers_are_in_order_and_take_four_bytes() -> None:
    rows = row_numbers([9, 2, 300_000])

    assert list(rows) == [2, 9, 300_000]
    assert rows.itemsize == 4
