"""CSV, TSV and their like: records, whose quoted cells may run over several lines."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from services.datasets.dropped import DropCode
from services.datasets.errors import EmptyFile, OneColumn
from services.datasets.formats import Delimiter, Format, Quote
from services.datasets.readers.columns import unique_names
from services.datasets.records import Record

# Tab first: it hardly ever stands in a text by chance.
DELIMITERS: tuple[Delimiter, ...] = ("\t", ",", ";", "|")
# Of the lines, so many must be broken by their quotes before these are taken for letters.
_BROKEN_SHARE = 0.2
# Divides nothing: it stands between units in no text that people write (ASCII's unit separator).
NONE = "\x1f"
# How often over a file may be read again after stray quotes, before cells may no longer run over lines.
_PATIENCE = 5
_SAMPLE_RECORDS = 500
_SAMPLE_CHARACTERS = 256 * 1024


class Row(NamedTuple):
    """A record's number in the file, from 1 and with the header, and its cells.

    `cells` is None where a quote opens and does not close as it should; `line` is what stands there.
    """

    row: int
    cells: tuple[str, ...] | None
    line: str


def rows(text: str, delimiter: str, width: int | None = None, *, quote: Quote | None = '"') -> Iterator[Row]:
    """Every record, empty ones included, without the empty lines after the last.

    A stray quote would swallow the rows after it up to the next quote. So a record over several lines must be
    quoted by the book and have `width` cells; otherwise its first line alone is broken, and the next is read
    afresh.
    """
    lines = list(io.StringIO(text, newline=""))
    dialect = _dialect(delimiter, quote)
    while lines and not lines[-1].strip(" \r\n"):
        lines.pop()
    row = start = 0
    patience = _PATIENCE * len(lines)
    while start < len(lines):
        stop = len(lines) if patience > 0 else start + 1
        # A quote that is still open at the end shows by swallowing the empty line put there.
        reader = csv.reader(chain((lines[at] for at in range(start, stop)), [""]), dialect)
        begin = start
        while begin < stop:
            row += 1
            cells = _next(reader)
            end = start + reader.line_num
            several = lines[begin : min(end, stop)] if end - begin > 1 else []
            if cells is None or (several and not _by_the_book(several, dialect, width)):
                yield Row(row, None, lines[begin].rstrip("\r\n"))
                patience -= end - begin
                begin += 1
                break
            yield Row(row, tuple(cells), lines[begin])
            begin = end
        start = begin


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(reader)
    except csv.Error:
        return None


def _dialect(delimiter_: str, quote: Quote | None) -> type[csv.excel]:
    class Dialect(csv.excel):
        delimiter = delimiter_
        quotechar = quote or '"'
        quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE

    return Dialect


def _by_the_book(lines: Sequence[str], dialect: type[csv.excel], width: int | None) -> bool:
    try:
        read = list(csv.reader(lines, dialect, strict=True))
    except csv.Error:
        return False
    return len(read) == 1 and width in (None, len(read[0]))


def detect_delimiter(text: str, *, least: float = 0.5) -> Delimiter:
    """The delimiter that divides most records into the same number of cells, two or more.

    Raises:
        OneColumn: none divides even this share of them alike.
    """
    shares = {delimiter: _share_of_equal_width(sample(text, delimiter)) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=shares.__getitem__)
    if shares[best] < least:
        raise OneColumn
    return best


def detect_quote(text: str, delimiter: str) -> Quote | None:
    """What stands around cells: double quotes, unless most records have a cell between single ones.

    None where double quotes are but marks of inches or of speech, so that reading them as more breaks rows.
    """
    head = text[:_SAMPLE_CHARACTERS]
    lines = head.splitlines()[:_SAMPLE_RECORDS]
    apostrophes = sum(_is_quoted(line, delimiter, "'") for line in lines)
    if apostrophes * 2 > len(lines) and not any(_is_quoted(line, delimiter, '"') for line in lines):
        return "'"
    broken = sum(row.cells is None for row in islice(rows(head, delimiter), _SAMPLE_RECORDS))
    return None if broken > _BROKEN_SHARE * len(lines) else '"'


def _is_quoted(line: str, delimiter: str, quote: str) -> bool:
    """Does a cell begin with a quote, and this or a later one end with it?"""
    cells = [cell.strip() for cell in line.split(delimiter)]
    begins = next((at for at, cell in enumerate(cells) if len(cell) > 1 and cell[0] == quote), None)
    return begins is not None and any(cell.endswith(quote) for cell in cells[begins:])


def usual_width(rows: list[tuple[str, ...]]) -> int:
    """The number of cells that most rows have; 0 without rows."""
    return max(Counter(map(len, rows)).items(), key=lambda item: item[1], default=(0, 0))[0]


def _share_of_equal_width(rows: list[tuple[str, ...]]) -> float:
    width = usual_width(rows)
    return sum(len(cells) == width for cells in rows) / len(rows) if width > 1 else 0.0


def sample(text: str, delimiter: str, quote: Quote | None = '"') -> list[tuple[str, ...]]:
    """The cells of the first readable records that are not empty."""
    found = islice(rows(text[:_SAMPLE_CHARACTERS], delimiter, quote=quote), _SAMPLE_RECORDS)
    cells = (row.cells for row in found if row.cells is not None)
    return [row for row in cells if any(cell.strip() for cell in row)]


def read(text: str, form: Format) -> Iterator[Record]:
    """Every record after the header.

    Raises:
        EmptyFile: there are delimiters and nothing between them.
        UnknownColumn: the header lacks a column that the format names.
    """
    delimiter = form.delimiter or NONE
    names = form.columns
    every = rows(text, delimiter, len(names), quote=form.quote)
    if form.has_header:
        header = next((row for row in every if "".join(row.cells or row.line).strip()), None)
        if header is None:
            raise EmptyFile
        names = unique_names(header.cells or (header.line,))
        form.require_columns(names)
        every = islice(rows(text, delimiter, len(names), quote=form.quote), header.row, None)
    return records(every, names)


def records(every: Iterable[Row], names: Sequence[str]) -> Iterator[Record]:
    """Rows of a table with their cells under the columns' names."""
    width = len(names)
    for row, cells, line in every:
        if cells is None:
            yield Record(row, DropCode.unreadable_row, (line,))
        elif len(cells) == width and (cells[0] or any(map(str.strip, cells))):
            yield Record(row, dict(zip(names, cells, strict=True)), cells)
        elif not any(map(str.strip, cells)):
            yield Record(row, DropCode.empty_row, cells)
        else:
            yield Record(row, DropCode.wrong_column_count, cells)
