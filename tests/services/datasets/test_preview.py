from services.datasets.dropped import DropCode, drop
from services.datasets.errors import OneClass, TooFewRows
from services.datasets.preview import group_dropped, inspect, preview
from tests.services.datasets.factories import csv_form, support_csv


def test_a_good_file_is_shown_as_it_would_be_frozen() -> None:
    form, shown = inspect(support_csv(rows=30) + b",order\n")

    assert form == csv_form()
    assert (shown.rows_in, shown.rows_used, shown.rows_dropped) == (31, 30, 1)
    assert shown.labels == {"order": 15, "refund": 15}
    assert shown.splits == {"train": 22, "validation": 4, "test": 4}
    assert shown.problem is None
    assert [example.row for example in shown.first] == list(range(2, 22))
    assert [(group.code, group.count, group.rows) for group in shown.dropped] == [
        (DropCode.empty_text, 1, (32,))
    ]


def test_a_file_that_cannot_be_frozen_is_shown_with_the_reason() -> None:
    _, one_label = inspect(b"text,label\na,x\nb,x\n")
    _, too_small = inspect(b"text,label\na,x\nb,y\n")

    assert isinstance(one_label.problem, OneClass)
    assert isinstance(too_small.problem, TooFewRows)
    assert (too_small.rows_used, too_small.splits) == (2, {})


def test_a_correction_shows_what_it_would_make() -> None:
    content = b"text,label,topic\n" + b"".join(b"text %d,same,%d\n" % (row, row % 2) for row in range(20))
    form, before = inspect(content)

    after = preview(content, form.changed(label_column="topic"))

    assert isinstance(before.problem, OneClass)
    assert after.labels == {"0": 10, "1": 10}


def test_dropped_rows_are_grouped_with_the_numbers_of_the_first() -> None:
    dropped = [drop(1, DropCode.empty_row), *(drop(row, DropCode.missing_label) for row in range(2, 102))]

    many, one = group_dropped(dropped)

    assert (many.code, many.count, many.rows) == (DropCode.missing_label, 100, tuple(range(2, 52)))
    assert (one.code, one.count, one.rows, one.reason) == (DropCode.empty_row, 1, (1,), "The row is empty.")
