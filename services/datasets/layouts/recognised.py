"""What is thought of a file's rows, how surely, and why."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from services.datasets.formats import Layout
from services.datasets.records import Fields
from services.training.recipe import Task

Rows = Sequence[Fields]
_CERTAIN_SHARE = 0.95


class Confidence(StrEnum):
    """How surely a format was recognised."""

    certain = "certain"  # the file says so itself
    likely = "likely"  # what stands in it fits, and hardly fits anything else
    unsure = "unsure"  # the best of several guesses


class Wanted(NamedTuple):
    """What the person knows better; None is to be found out."""

    text_column: str | None = None
    label_column: str | None = None
    task: Task | None = None
    layout: Layout | None = None


@dataclass(frozen=True, slots=True)
class Recognised:
    """Fields of a `Format` that say what rows mean; `columns` where the layout has its own names for them."""

    fields: dict[str, Any]
    confidence: Confidence
    reason: str
    columns: tuple[str, ...] | None = None

    def mapped(self, wanted: Wanted) -> "Recognised":
        """The same with the columns that the person wants."""
        given = {"text_column": wanted.text_column, "label_column": wanted.label_column}
        known = {name: column for name, column in given.items() if column is not None}
        return replace(self, fields={**self.fields, **known})


def longest_text(rows: Iterable[Fields]) -> str:
    """The field that holds the texts: by its name, or else the one with the most characters."""
    lengths: Counter[str] = Counter()
    for fields in rows:
        lengths.update({name: len(value) for name, value in fields.items() if isinstance(value, str)})
    if lengths["text"]:
        return "text"
    return lengths.most_common(1)[0][0] if lengths else "text"


def task_of_labels(several: bool) -> Task:
    """The task of texts that have one label each, or several."""
    return Task.multi_label if several else Task.text_classification


def is_most(found: Rows, rows: Rows) -> bool:
    """Are these more than half of the rows?"""
    return len(found) * 2 > len(rows)


def confidence_of(found: Rows, rows: Rows) -> Confidence:
    """How surely a layout is the one in which these of all rows are."""
    return Confidence.certain if len(found) >= _CERTAIN_SHARE * len(rows) else Confidence.likely


def union(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once."""
    return tuple(dict.fromkeys(names))
