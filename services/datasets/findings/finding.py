"""One thing that was noticed about a data set: what, where, why it matters, and what to do."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator

from services.datasets.findings.catalogue import FixName, Severity

EXCERPTS = 5
# Characters shown before and after the spot, and of the spot itself.
_AROUND, _SPOT = 40, 80


# Leaves the process that reads the file as a list.
Rows = Annotated[Sequence[int], PlainValidator(lambda rows: array("I", rows)), PlainSerializer(list)]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of a row's text; the spot that is meant is `text[start:end]`."""

    row: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: how severe, in which rows, and all that a person needs to decide.

    `count` is the number of rows, all of whose numbers stand in `rows`, or 1 for what is true of the whole;
    `detail` says what the general words cannot. `labels` are groups of labels that are meant together,
    the one to keep first.
    """

    code: str
    severity: Severity
    count: int
    rows: Rows
    excerpts: tuple[Excerpt, ...]
    title: str
    detail: str
    why: str
    what_to_do: str
    fix: FixName | None = None
    labels: tuple[tuple[str, ...], ...] = ()


def row_numbers(rows: Iterable[int]) -> "array[int]":
    """The numbers in order, four bytes each: a finding may be about a million rows."""
    return array("I", sorted(rows))


def excerpt(row: int, text: str, start: int = 0, end: int = 0) -> Excerpt:
    """The spot with a little of the text around it; the beginning of the text where there is no spot."""
    end = min(end, start + _SPOT)
    first = max(0, start - _AROUND)
    last = min(len(text), max(end, first + _SPOT) + _AROUND)
    before, after = "…" * (first > 0), "…" * (last < len(text))
    moved = len(before) - first
    return Excerpt(row, f"{before}{text[first:last]}{after}", start + moved, end + moved)
