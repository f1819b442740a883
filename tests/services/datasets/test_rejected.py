import csv
import io

import pytest

from services.datasets.dropped import DropCode, drop
from services.datasets.rejected import rejected_csv


def test_dropped_rows_come_back_with_number_and_reason() -> None:
    dropped = [
        drop(3, DropCode.missing_label, "hello,\nyou", ""),
        drop(9, DropCode.wrong_column_count, "a", "b", "c"),
    ]

    content = rejected_csv(dropped, ("text", "label"))

    assert content.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))) == [
        ["row", "code", "reason", "text", "label"],
        ["3", "missing_label", "The label is missing.", "hello,\nyou", ""],
        ["9", "wrong_column_count", "The row has more or fewer columns than the others.", "a", "b", "c"],
    ]


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_cell_that_could_be_a_formula_is_made_inert(first: str) -> None:
    content = rejected_csv(
        [drop(1, DropCode.missing_label, f"{first}cmd|' /C calc'!A0")], (f"{first}column",)
    )

    header, row = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert header[3] == f"'{first}column"
    assert row[3] == f"'{first}cmd|' /C calc'!A0"
