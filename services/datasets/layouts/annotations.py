"""Entities in one field of a row, as doccano, Prodigy and spaCy write them, each in several ways."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.datasets.dropped import DropCode
from services.datasets.examples import Example
from services.datasets.formats import Format, Layout
from services.datasets.layouts import columns
from services.datasets.layouts.columns import Interpret
from services.datasets.layouts.recognised import (
    Confidence,
    Recognised,
    Rows,
    confidence_of,
    longest_text,
    task_of_labels,
)
from services.datasets.layouts.spans import Span, tagged
from services.datasets.notes import Notes
from services.datasets.records import Fields
from services.training.recipe import Task

_SPANS = ("entities", "spans", "label", "labels", "ents", "annotations")
_STARTS = ("start", "start_offset", "begin", "start_char")
_ENDS = ("end", "end_offset", "stop", "end_char")
_LABELS = ("label", "labels", "tag", "entity", "type", "entity_group")
_SURFACES = ("text", "surface", "word")
_ANSWER, _ACCEPTED = "answer", "accept"
_OF_PRODIGY = frozenset({"_task_hash", "_input_hash", _ANSWER})


def recognise(names: Sequence[str], rows: Rows) -> Recognised | None:
    """Entities, if a column holds places in the text with labels."""
    column = next((name for name in _SPANS if name in names and holds_spans(rows, name)), None)
    if column is None:
        return None
    layout, tool = Layout.doccano, "doccano"
    if _OF_PRODIGY & set(names):
        layout, tool = Layout.prodigy, "Prodigy"
    elif column == "ents" or (column == "entities" and not holds_spans(rows, column, of=dict)):
        layout, tool = Layout.spacy, "spaCy"
    text = {"text_column": longest_text(rows), "label_column": column, "task": Task.token_classification}
    filled = [fields for fields in rows if fields.get(column) is not None]
    return Recognised(
        {"layout": layout, **text},
        confidence_of([fields for fields in filled if _are_spans(fields[column])], rows),
        f"“{column}” holds places in the text with their labels: this looks like {tool}.",
    )


def recognise_answers(names: Sequence[str], rows: Rows) -> Recognised | None:
    """Prodigy's answers about whole texts."""
    label = next((name for name in ("accept", "label") if name in names), None)
    if label is None or len(_OF_PRODIGY & set(names)) < 2:
        return None
    several = any(isinstance(fields.get(label), list) and len(fields[label]) != 1 for fields in rows)
    fields = {"text_column": longest_text(rows), "label_column": label, "task": task_of_labels(several)}
    reason = "Rows have “answer” and “_task_hash”: this looks like Prodigy."
    return Recognised({"layout": Layout.prodigy, **fields}, Confidence.certain, reason)


def interpreter(form: Format, notes: Notes) -> Interpret:
    """What makes an example of what was marked and accepted in a text, or says why it cannot."""
    marked = (
        _entities(form, notes) if form.task is Task.token_classification else columns.interpreter(form, notes)
    )

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        if fields.get(_ANSWER, _ACCEPTED) != _ACCEPTED:
            return DropCode.not_annotated
        return marked(row, fields)

    return interpret


def _entities(form: Format, notes: Notes) -> Interpret:
    text_column, span_column = form.text_column, form.label_column or ""

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        text, written = fields.get(text_column), fields.get(span_column, ())
        if text is None:
            return DropCode.missing_field
        spans = spans_of(written or ())
        if not isinstance(text, str) or spans is None:
            return DropCode.wrong_type
        return tagged(row, text, spans, notes)

    return interpret


def spans_of(written: Any) -> list[Span] | None:
    """Entities from triples or objects; None where one of them is neither."""
    if not isinstance(written, list | tuple):
        return None
    spans = [span_of(item) for item in written]
    return None if None in spans else [span for span in spans if span is not None]


def span_of(item: Any) -> Span | None:
    """An entity from `[start, end, label]`, `[label, start, end]` or an object with these; None otherwise."""
    match item:
        case [int() as start, int() as end, str() as label]:
            return Span(start, end, label.strip())
        case [str() as label, int() as start, int() as end]:
            return Span(start, end, label.strip())
        case dict():
            start, end = _first(item, _STARTS), _first(item, _ENDS)
            label, surface = _first(item, _LABELS), _first(item, _SURFACES)
            if isinstance(label, list) and len(label) == 1:
                label = label[0]
            if type(start) is int and type(end) is int and isinstance(label, str):
                return Span(start, end, label.strip(), surface if isinstance(surface, str) else None)
    return None


def _first(fields: dict[str, Any], names: Iterable[str]) -> Any:
    return next((fields[name] for name in names if name in fields), None)


def holds_spans(rows: Rows, column: str, of: type = object) -> bool:
    """Are the values of the column lists of entities, and one of them at least not empty?"""
    lists = [fields[column] for fields in rows if fields.get(column) is not None]
    spans = [value for value in lists if _are_spans(value)]
    return len(spans) * 2 > len(lists) and any(isinstance(value[0], of) for value in spans if value)


def _are_spans(value: Any) -> bool:
    return isinstance(value, list) and all(span_of(item) is not None for item in value)
