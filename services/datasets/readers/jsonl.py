"""JSONL: one object per line."""

from collections.abc import Iterator

from services.datasets.dropped import DropCode
from services.datasets.readers.json_values import Decoder, fields_of
from services.datasets.records import Record

_NO_OBJECT = (DropCode.bad_json, DropCode.empty_row)
_SAMPLE_LINES = 500
_SAMPLE_CHARACTERS = 256 * 1024


def is_jsonl(text: str) -> bool:
    """Does the file begin like an object, and has half of its first lines at least one of its own?"""
    # Whole lines, one at least, however long it is.
    end = text.find("\n", _SAMPLE_CHARACTERS)
    sample = text[:end].lstrip() if end > 0 else text.strip()
    lines = [line for line in _lines(sample)[:_SAMPLE_LINES] if line.strip()]
    if not lines or not lines[0].startswith(("{", "[")):
        return False
    decoder = Decoder()
    found = [_record(row, line, decoder).fields for row, line in enumerate(lines, 1)]
    # Between the brackets of a JSON file all lines but the last end in a comma.
    return sum(fields not in _NO_OBJECT and bool(fields) for fields in found) * 2 >= len(lines)


def read(text: str) -> Iterator[Record]:
    """Every line; `row` is its number."""
    decoder = Decoder()
    for row, line in enumerate(_lines(text), 1):
        yield _record(row, line, decoder)


def _record(row: int, line: str, decoder: Decoder) -> Record:
    stripped = line.strip()
    if not stripped:
        return Record(row, DropCode.empty_row, (line,))
    try:
        value, end = decoder.value(stripped)
    # Besides broken JSON: nesting deeper than the stack.
    except (ValueError, RecursionError):
        return Record(row, DropCode.bad_json, (line,))
    if end < len(stripped):
        return Record(row, DropCode.bad_json, (line,))
    return Record(row, decoder.fault or fields_of(value), (line,))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n")
