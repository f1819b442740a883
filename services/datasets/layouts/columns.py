"""Rows with a column for each thing: a text or two, and a label, several labels or a score."""

from collections.abc import Callable
from math import isfinite
from typing import Any

from services.datasets.dropped import DropCode
from services.datasets.examples import (
    Example,
    MultiLabelExample,
    PairExample,
    PlainExample,
    ScoreExample,
    TextExample,
)
from services.datasets.formats import Format
from services.datasets.layouts.faults import label_fault, text_fault
from services.datasets.layouts.labels import items_of
from services.datasets.notes import NoteCode, Notes
from services.datasets.records import Fields, scalar
from services.training.recipe import Task

Interpret = Callable[[int, Fields], Example | DropCode]
_YES = frozenset({"1", "true", "yes", "y", "x", "t"})
_NO = frozenset({"0", "false", "no", "n", "", "f"})


def interpreter(form: Format, notes: Notes) -> Interpret:
    """What makes an example of a row's fields, or says why it cannot."""
    match form.task:
        case Task.multi_label if form.label_columns:
            return _one_hot(form)
        case Task.multi_label:
            return _several_labels(form, notes)
        case Task.pair_classification:
            return _pair(form)
        case Task.regression:
            return _score(form)
        case Task.unlabelled:
            return _text_alone(form)
    return _one_label(form)


def one_hot_value(cell: str) -> bool | None:
    """Whether a label is set, as tables say it; None where the cell says neither."""
    word = cell.strip().lower()
    return True if word in _YES else False if word in _NO else None


def _one_label(form: Format) -> Interpret:
    text_column, label_column, names = form.text_column, form.label_column or "", form.label_names

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        try:
            text, label = scalar(fields[text_column]), _label(fields[label_column], names)
        except KeyError:
            return DropCode.missing_field
        if text is None or label is None:
            return DropCode.wrong_type
        text, label = text.strip(), label.strip()
        if not text and not label:
            return DropCode.empty_row
        return text_fault(text) or label_fault(label) or TextExample(row, text, label)

    return interpret


def _several_labels(form: Format, notes: Notes) -> Interpret:
    text_column, label_column, names = form.text_column, form.label_column or "", form.label_names

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        if text_column not in fields:
            return DropCode.missing_field
        text, items = scalar(fields[text_column]), items_of(fields.get(label_column), form.separator)
        if text is None or items is None:
            return DropCode.wrong_type
        labels = [_named(item.strip(), names) for item in items if item.strip()]
        if len(set(labels)) < len(labels):
            notes.row(NoteCode.repeated_labels, row)
        return _with_labels(row, text.strip(), labels)

    return interpret


def _one_hot(form: Format) -> Interpret:
    def interpret(row: int, fields: Fields) -> Example | DropCode:
        try:
            text, cells = scalar(fields[form.text_column]), [fields[name] for name in form.label_columns]
        except KeyError:
            return DropCode.missing_field
        if text is None:
            return DropCode.wrong_type
        chosen = [one_hot_value(scalar(cell) or "") for cell in cells]
        if None in chosen:
            return DropCode.wrong_type
        labels = [name for name, is_set in zip(form.label_columns, chosen, strict=True) if is_set]
        return _with_labels(row, text.strip(), labels)

    return interpret


def _pair(form: Format) -> Interpret:
    def interpret(row: int, fields: Fields) -> Example | DropCode:
        try:
            first, second = _two_texts(form, fields)
            label = _label(fields[form.label_column or ""], form.label_names)
        except KeyError:
            return DropCode.missing_field
        if first is None or second is None or label is None:
            return DropCode.wrong_type
        label = label.strip()
        fault = text_fault(first) or text_fault(second) or label_fault(label)
        return fault or PairExample(row, first, second, label)

    return interpret


def _score(form: Format) -> Interpret:
    def interpret(row: int, fields: Fields) -> Example | DropCode:
        try:
            first, second = _two_texts(form, fields)
            written = scalar(fields[form.label_column or ""])
        except KeyError:
            return DropCode.missing_field
        if first is None or second is None or written is None:
            return DropCode.wrong_type
        if fault := text_fault(first) or (text_fault(second) if form.pair_column else None):
            return fault
        score = number(written)
        if score is None:
            return DropCode.bad_score if written.strip() else DropCode.missing_label
        return ScoreExample(row, first, second, score)

    return interpret


def _text_alone(form: Format) -> Interpret:
    def interpret(row: int, fields: Fields) -> Example | DropCode:
        if form.text_column not in fields:
            return DropCode.missing_field
        text = scalar(fields[form.text_column])
        if text is None:
            return DropCode.wrong_type
        text = text.strip()
        return text_fault(text) or PlainExample(row, text)

    return interpret


def number(cell: str) -> float | None:
    """The finite number in a cell, also with a decimal comma."""
    try:
        value = float(cell.strip().replace(",", "."))
    except ValueError:
        return None
    return value if isfinite(value) and "_" not in cell else None


def _two_texts(form: Format, fields: Fields) -> tuple[str | None, str | None]:
    first = scalar(fields[form.text_column])
    second = scalar(fields[form.pair_column]) if form.pair_column else ""
    return first and first.strip(), second and second.strip()


def _label(value: Any, names: tuple[str, ...]) -> str | None:
    if isinstance(value, list | dict):
        items = items_of(value, None)
        value = items[0] if items and len(items) == 1 else value
    label = scalar(value)
    return label if label is None else _named(label, names)


def _named(label: str, names: tuple[str, ...]) -> str:
    if not names or not label.isdecimal():
        return label
    at = int(label[:9])
    return names[at] if at < len(names) else label


def _with_labels(row: int, text: str, labels: list[str]) -> Example | DropCode:
    if fault := text_fault(text):
        return fault
    for label in labels:
        if fault := label_fault(label):
            return fault
    return MultiLabelExample(row, text, tuple(sorted(set(labels))))
