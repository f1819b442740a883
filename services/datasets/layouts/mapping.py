"""Which columns of a table hold what: the texts, and the label, the labels or the score."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from services.datasets.errors import UnknownColumn, UnsupportedFormat
from services.datasets.formats import Layout
from services.datasets.layouts.labels import separator_of
from services.datasets.layouts.recognised import Confidence, Recognised, Wanted
from services.datasets.layouts.sampled import Column, column_of
from services.datasets.readers.columns import is_label_name, text_and_label
from services.datasets.records import Fields
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
    ("history", "item"),
)
_SCORES = frozenset({"score", "similarity", "similarity_score", "relatedness", "relatedness_score"})
# Numbers with fractions, and more than a handful of them, are measured and not chosen.
_MOST_CLASSES = 10

Columns = Mapping[str, Column]


def recognise_columns(names: Sequence[str], rows: Sequence[Fields], wanted: Wanted) -> Recognised:
    """The likely meaning of each of two columns or more; what is wanted is taken as known.

    Raises:
        UnsupportedFormat: there is one column, or none, and labels are wanted.
        UnknownColumn: there is no such column as the person wants.
    """
    if wanted.task is Task.unlabelled:
        return _texts_alone(names, rows, wanted)
    if len(names) < 2:
        raise UnsupportedFormat("rows of a single field", "Give every row a text and its label.")
    for name in (wanted.text_column, wanted.label_column):
        if name is not None and name not in names:
            raise UnknownColumn(name, names)
    columns = {name: column_of(name, rows) for name in names}
    pair = _pair(columns, wanted)
    text, label = _text_and_label(columns, pair, wanted)
    found = next(_meanings(columns, pair, text, label, by_hand=wanted.label_column is not None))
    return _as_wanted(found, wanted)


def _texts_alone(names: Sequence[str], rows: Sequence[Fields], wanted: Wanted) -> Recognised:
    """Texts without labels, in the column with the most words."""
    text = wanted.text_column or max(names, key=lambda name: column_of(name, rows).length)
    if text not in names:
        raise UnknownColumn(text, names)
    return _read_as(Task.unlabelled, f"“{text}” holds texts.", text_column=text, label_column=None)


def _meanings(
    columns: Columns, pair: tuple[str, str] | None, text: str, label: str, *, by_hand: bool
) -> Iterator[Recognised]:
    """What the label may be, the most telling first; there is always one."""
    answers = columns[label]
    both: dict[str, Any] = {"text_column": text, "label_column": label}
    if answers.holds_lists:
        one = all(len(items) == 1 for items in answers.lists)
        task = Task.text_classification if one else Task.multi_label
        yield _read_as(task, f"“{label}” holds lists of labels.", **both)

    flags = tuple(name for name, column in columns.items() if column.is_binary and name != text)
    by_name = by_hand or is_label_name(label)
    if not by_name and len(flags) > 1 and (len(flags) > 2 or label in flags):
        reason = f"{len(flags)} columns hold nothing but 0 and 1: a label each."
        yield _read_as(Task.multi_label, reason, text_column=text, label_column=None, label_columns=flags)

    second: dict[str, Any] = {"pair_column": pair[1]} if pair else {}
    if _is_score(answers):
        yield _read_as(Task.regression, f"“{label}” holds numbers on a scale.", **both, **second)
    if pair:
        reason = f"“{pair[0]}” and “{pair[1]}” are two texts, and “{label}” is their label."
        yield _read_as(Task.pair_classification, reason, **both, **second)
    if separator := separator_of(answers.cells):
        reason = f"Cells of “{label}” list several labels with “{separator}” between them."
        yield _read_as(Task.multi_label, reason, **both, separator=separator)

    reason, confidence = f"“{text}” holds texts, and “{label}” their labels.", Confidence.likely
    if is_label_name(label):
        confidence = Confidence.certain
    elif len(set(answers.filled)) * 2 > len(answers.filled) > _MOST_CLASSES:
        reason = f"No column repeats its values as labels do; “{label}” does so the most."
        confidence = Confidence.unsure
    yield _read_as(Task.text_classification, reason, confidence, **both)


def _read_as(
    task: Task, reason: str, confidence: Confidence = Confidence.likely, **columns: Any
) -> Recognised:
    return Recognised({"layout": Layout.columns, "task": task, **columns}, confidence, reason)


def _pair(columns: Columns, wanted: Wanted) -> tuple[str, str] | None:
    plain = {name.strip().casefold().replace(" ", "_"): name for name in columns}
    if len(columns) < 3 or wanted.task not in (None, Task.pair_classification, Task.regression):
        return None
    for one, other in _PAIRS:
        if one in plain and other in plain:
            return plain[one], plain[other]
    if wanted.task is Task.pair_classification:
        return max(combinations(columns, 2), key=lambda pair: sum(columns[name].length for name in pair))
    return None


def _text_and_label(columns: Columns, pair: tuple[str, str] | None, wanted: Wanted) -> tuple[str, str]:
    text, label = _by_name_or_contents(columns)
    if pair:
        text = pair[0]
        label = _label_among(columns, set(pair))
    elif not is_label_name(label) and not columns[label].holds_lists:
        label = next((name for name in columns if columns[name].holds_lists and name != text), label)
    if wanted.text_column is not None:
        text = wanted.text_column
        # A column that is called a label is one, so that the two wishes are at odds and refused.
        if text == label and not is_label_name(label):
            label = _label_among(columns, {text})
    if wanted.label_column is not None:
        label = wanted.label_column
        if text == label and wanted.text_column is None:
            text = max((name for name in columns if name != label), key=lambda name: columns[name].length)
    return text, label


def _label_among(columns: Columns, taken: set[str]) -> str:
    others = {name: column for name, column in columns.items() if name not in taken}
    return _by_name_or_contents(others)[1] if len(others) > 1 else next(iter(others))


def _by_name_or_contents(columns: Columns) -> tuple[str, str]:
    names = list(columns)
    rows = list(zip(*(column.cells for column in columns.values()), strict=True))
    text, label = text_and_label(names, rows)
    return names[text], names[label]


def _is_score(label: Column) -> bool:
    values = set(label.numbers)
    if label.name.strip().casefold() in _SCORES:
        return len(label.numbers) * 2 > len(label.filled) and len(values) > 2
    fractions = any(not value.is_integer() for value in values)
    measured = label.is_numeric and fractions and len(values) > _MOST_CLASSES
    return measured and not _are_numbers_of_labels(label)


def _are_numbers_of_labels(label: Column) -> bool:
    """Are these lists such as “3,10” of the numbers of labels, and not decimals with a comma?"""
    commas = [cell.count(",") for cell in label.filled]
    return max(commas) > 1 or 0 < sum(map(bool, commas)) * 2 < len(commas)


def _as_wanted(found: Recognised, wanted: Wanted) -> Recognised:
    """The same for the task that the person asks for."""
    fields = found.fields
    if wanted.task is None or wanted.task is fields["task"]:
        return found
    fields = {**fields, "task": wanted.task, "separator": "," if wanted.task is Task.multi_label else None}
    if fields["label_column"] is None:
        fields |= {"label_column": fields["label_columns"][0], "label_columns": ()}
    if wanted.task not in (Task.pair_classification, Task.regression):
        fields.pop("pair_column", None)
    return Recognised(fields, Confidence.likely, found.reason)
