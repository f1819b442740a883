"""fastText: a text per line with its labels in front of it, as `__label__name`."""

from collections.abc import Iterator
from itertools import islice

from services.datasets.dropped import DropCode
from services.datasets.records import Record

COLUMNS = TEXT, LABELS = ("text", "labels")
_MARK = "__label__"
_SAMPLE_LINES = 500


def is_fasttext(text: str) -> bool:
    """Do most of the first lines begin with a label?"""
    lines = [line for line in islice(_lines(text), _SAMPLE_LINES) if line.strip()]
    return sum(line.startswith(_MARK) for line in lines) > len(lines) / 2


def read(text: str) -> Iterator[Record]:
    """Every line, with its text and the list of its labels; `row` is its number."""
    for row, line in enumerate(_lines(text), 1):
        words = line.split()
        labels = [word.removeprefix(_MARK) for word in words if word.startswith(_MARK)]
        if not words:
            yield Record(row, DropCode.empty_row, (line,))
        else:
            rest = " ".join(word for word in words if not word.startswith(_MARK))
            yield Record(row, {TEXT: rest, LABELS: labels}, (line,))


def _lines(text: str) -> Iterator[str]:
    return iter(text.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n"))
