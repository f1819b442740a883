"""Which columns of a table hold what: the texts, and the label, the labels or the score."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.datasets.errors import UnknownColumn, UnsupportedFormat
from services.datasets.formats import Layout
from services.datasets.layouts.columns import number
from services.datasets.layouts.labels import items_of, separator_of, written_list
from services.datasets.layouts.recognised import Confidence, Recognised, Wanted
from services.datasets.readers.columns import is_label_name, text_and_label
from services.datasets.records import Fields, scalar
from services.training.recipe import Task

# Names of two texts that belong together, in the order of preference.
_PAIRS = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("sentence_a", "sentence_b"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("question1", "question2"),
    ("query", "passage"),
    ("query", "document"),
    ("query", "product"),
    ("question", "passage"),
    ("question", "context"),
    ("user", "item"),
    ("anchor", "other"),
)
_SCORES = frozenset({"score", "similarity", "similarity_score", "relatedness", "relatedness_score"})
_BINARY = frozenset({"0", "1", "true", "false"})
# Numbers with fractions, and more than a handful of them, are measured and not chosen.
_MOST_CLASSES = 10
_NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True)
class _Column:
    """What stands in a column of the sample: its values, and the same as text."""

    name: str
    values: list[Any]
    cells: list[str]

    @property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell]

    @property
    def lists(self) -> list[list[str]]:
        """The lists among the values, also those written as text."""
        found = [
            items_of(value, None) if isinstance(value, list | dict) else written_list(cell)
            for value, cell in zip(self.values, self.cells, strict=True)
        ]
        return [items for items in found if items is not None]

    @property
    def holds_lists(self) -> bool:
        filled = sum(value not in (None, "") for value in self.values)
        return filled > 0 and len(self.lists) * 2 > filled

    @property
    def is_binary(self) -> bool:
        binary = sum(cell.lower() in _BINARY for cell in self.cells)
        return bool(self.filled) and binary >= _NEARLY_ALL * len(self.cells)


def recognise_columns(names: Sequence[str], rows: Sequence[Fields], wanted: Wanted) -> Recognised:
    """The likely meaning of each of two columns or more; what is wanted is taken as known.

    Raises:
        UnsupportedFormat: there is one column, or none.
        UnknownColumn: there is no such column as the person wants.
    """
    if len(names) < 2:
        raise UnsupportedFormat("rows of a single field", "Give every row a text and its label.")
    for name in (wanted.text_column, wanted.label_column):
        if name is not None and name not in names:
            raise UnknownColumn(name, names)
    columns = [_column(name, rows) for name in names]
    first, second = _pair(columns, wanted)
    text_at, label_at = _text_and_label(columns, first, wanted)
    text, label = columns[text_at], columns[label_at]
    named = is_label_name(label.name)
    fields: dict[str, Any] = {
        "layout": Layout.columns,
        "text_column": text.name,
        "label_column": label.name,
        "task": Task.text_classification,
    }
    reason = f"“{text.name}” holds texts, and “{label.name}” values that come again."
    confidence = Confidence.likely
    if first is not None and second is not None:
        fields |= {"task": Task.pair_classification, "pair_column": columns[second].name}
        reason = f"“{text.name}” and “{columns[second].name}” are two texts, and “{label.name}” their label."
    one_hot = [column.name for column in columns if column.is_binary and column is not text]
    if label.holds_lists:
        several = any(len(items) != 1 for items in label.lists)
        fields["task"] = Task.multi_label if several else Task.text_classification
        reason = f"“{label.name}” holds lists of labels." if several else reason
    elif (
        len(one_hot) > 1
        and not named
        and wanted.label_column is None
        and (len(one_hot) > 2 or label.is_binary)
    ):
        fields |= {"task": Task.multi_label, "label_column": None, "label_columns": tuple(one_hot)}
        reason = f"{len(one_hot)} columns hold nothing but 0 and 1: a label each."
    elif first is None and (separator := separator_of(label.cells)):
        fields |= {"task": Task.multi_label, "separator": separator}
        reason = f"Cells of “{label.name}” list several labels with “{separator}” between them."
    elif _is_score(label):
        fields["task"] = Task.regression
        reason = f"“{label.name}” holds numbers on a scale."
    elif named and text.name != label.name and wanted == Wanted():
        confidence = Confidence.certain
    elif len(set(label.filled)) * 2 > len(label.filled) > _MOST_CLASSES:
        confidence = Confidence.unsure
        reason = f"No column repeats its values as labels do; “{label.name}” does so the most."
    return Recognised(_as_wanted(fields, wanted), confidence, reason)


def _column(name: str, rows: Iterable[Fields]) -> _Column:
    values = [fields.get(name) for fields in rows]
    return _Column(name, values, [(scalar(value) or "").strip() for value in values])


def _pair(columns: Sequence[_Column], wanted: Wanted) -> tuple[int | None, int | None]:
    names = [column.name.strip().casefold().replace(" ", "_") for column in columns]
    if len(columns) < 3 or wanted.task not in (None, Task.pair_classification, Task.regression):
        return None, None
    for one, other in _PAIRS:
        if one in names and other in names:
            return names.index(one), names.index(other)
    if wanted.task is Task.pair_classification:
        by_length = sorted(range(len(columns)), key=lambda at: -sum(map(len, columns[at].cells)))
        return min(by_length[:2]), max(by_length[:2])
    return None, None


def _text_and_label(columns: Sequence[_Column], first: int | None, wanted: Wanted) -> tuple[int, int]:
    names = [column.name for column in columns]
    rows = list(zip(*(column.cells for column in columns), strict=True))
    text, label = text_and_label(names, rows)
    if first is not None:
        text = first
    listed = [at for at, column in enumerate(columns) if column.holds_lists and at != text]
    if listed and not columns[label].holds_lists and not is_label_name(names[label]):
        label = listed[0]
    if wanted.text_column in names:
        text = names.index(wanted.text_column)
    if wanted.label_column in names:
        label = names.index(wanted.label_column)
    if text == label and not is_label_name(names[label]):
        others = [at for at in range(len(names)) if at != text]
        open_names, open_rows = [names[at] for at in others], [[row[at] for at in others] for row in rows]
        if wanted.label_column is None and len(others) > 1:
            label = others[text_and_label(open_names, open_rows)[1]]
        elif wanted.label_column is None:
            label = others[0]
        elif wanted.text_column is None:
            text = max(others, key=lambda at: sum(map(len, columns[at].cells)))
    return text, label


def _is_score(label: _Column) -> bool:
    numbers = [value for cell in label.filled if (value := number(cell)) is not None]
    share = len(numbers) / max(1, len(label.filled))
    if label.name.strip().casefold() in _SCORES:
        return share > 0.5 and len(set(numbers)) > 2
    fractions = any(not value.is_integer() for value in numbers)
    return share >= _NEARLY_ALL and fractions and len(set(numbers)) > _MOST_CLASSES


def _as_wanted(fields: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    """The fields for the task that the person asks for."""
    if wanted.task is None or wanted.task is fields["task"]:
        return fields
    fields = {**fields, "task": wanted.task, "separator": None}
    if wanted.task is Task.multi_label:
        fields["separator"] = ","
    elif fields["label_column"] is None:
        fields |= {"label_column": fields["label_columns"][0], "label_columns": ()}
    return fields
