"""XLSX workbooks: one sheet is a table, its first row the header or not."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from python_calamine import CalamineError, CalamineWorkbook

from services.datasets.errors import DamagedFile, EmptyFile, TooManyColumns, UnknownSheet
from services.datasets.formats import Format
from services.datasets.limits import MAX_COLUMNS
from services.datasets.packing import check_workbook
from services.datasets.readers.columns import unique_names
from services.datasets.readers.delimited import Row, records
from services.datasets.records import Record, scalar

_SAMPLE_ROWS = 500


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet's name, the names of all sheets, and its rows, empty ones between others included."""

    name: str
    names: tuple[str, ...]
    rows: list[tuple[str, ...]]


def open_sheet(content: bytes, name: str | None = None) -> Sheet:
    """A sheet by its name, or else the first that has anything in it.

    Raises:
        DamagedFile, UnpacksTooLarge: the workbook cannot be read.
        UnknownSheet: it has no sheet of this name.
        EmptyFile: there is nothing in it.
        TooManyColumns: the sheet is wider than a table of texts.
    """
    check_workbook(content)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = workbook.sheet_names
        if name is not None and name not in names:
            raise UnknownSheet(name, names)
        for candidate in [name] if name is not None else names:
            if cells := workbook.get_sheet_by_name(candidate).to_python(skip_empty_area=False):
                return Sheet(candidate, tuple(names), _trimmed(cells))
    except CalamineError as error:
        raise DamagedFile("an Excel workbook") from error
    raise EmptyFile


def sample(sheet: Sheet) -> list[tuple[str, ...]]:
    """The cells of the first rows that are not empty."""
    return list(islice((row for row in sheet.rows if any(map(str.strip, row))), _SAMPLE_ROWS))


def read(sheet: Sheet, form: Format) -> Iterator[Record]:
    """Every row after the header; `row` is its number in the sheet.

    Raises:
        UnknownColumn: the header lacks a column that the format names.
    """
    numbered = [Row(row, cells, "") for row, cells in enumerate(sheet.rows, 1)]
    names = form.columns
    if form.has_header:
        header = next(at for at, row in enumerate(numbered) if any(map(str.strip, row.cells or ())))
        names = unique_names(numbered[header].cells or ())
        form.require_columns(names)
        numbered = numbered[header + 1 :]
    return records(numbered, names)


def _trimmed(cells: Sequence[Sequence[object]]) -> list[tuple[str, ...]]:
    """The rows as text, all as wide as the widest that has anything in it."""
    rows = [[scalar(cell) or "" for cell in row] for row in cells]
    width = max(at for row in rows for at in range(len(row) + 1) if at == 0 or row[at - 1].strip())
    if width == 0:
        raise EmptyFile
    if width > MAX_COLUMNS:
        raise TooManyColumns(width)
    while not any(map(str.strip, rows[-1])):
        rows.pop()
    return [tuple(row[:width]) + ("",) * (width - len(row)) for row in rows]
