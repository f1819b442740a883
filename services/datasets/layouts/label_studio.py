"""Exports of Label Studio: JSON, with the annotations inside of a task, and JSON-MIN, a row for each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from services.datasets.dropped import DropCode
from services.datasets.examples import Example
from services.datasets.formats import Format, Layout
from services.datasets.layouts.annotations import holds_spans
from services.datasets.layouts.annotators import Answer, answer_of, decided
from services.datasets.layouts.columns import Interpret
from services.datasets.layouts.labels import items_of
from services.datasets.layouts.recognised import (
    Confidence,
    Recognised,
    Rows,
    confidence_of,
    is_most,
    longest_text,
    task_of_labels,
    union,
)
from services.datasets.notes import NoteCode, Notes
from services.datasets.records import Fields, Record
from services.training.recipe import Task

_OF_MIN = frozenset(
    {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"}
)
_ANNOTATIONS = ("annotations", "completions")
_ANSWERS = "answers"


def recognise(_: Sequence[str], rows: Rows) -> Recognised | None:
    """Label Studio's JSON, if most of the rows are tasks with annotations."""
    tasks = [fields for fields in rows if isinstance(fields.get("data"), dict) and _annotated(fields)]
    if not is_most(tasks, rows):
        return None
    results = [
        result
        for fields in tasks
        for annotation in _annotations_of(fields)
        for result in _results_of(annotation)
    ]
    texts = [fields["data"] for fields in tasks]
    spans = [result for result in results if "start" in result["value"]]
    choices = [result["value"]["choices"] for result in results if "choices" in result["value"]]
    questions = Counter(str(result.get("from_name")) for result in spans or results)
    question = questions.most_common(1)[0][0] if questions else "label"
    several = any(isinstance(chosen, list) and len(chosen) > 1 for chosen in choices)
    return Recognised(
        {
            "layout": Layout.label_studio,
            "text_column": longest_text(texts),
            "label_column": question,
            "task": Task.token_classification if spans else task_of_labels(several),
        },
        confidence_of(tasks, rows),
        "Rows have “data” and “annotations”: this looks like Label Studio.",
        columns=union([*(name for data in texts for name in data), question, *questions]),
    )


def recognise_min(names: Sequence[str], rows: Rows) -> Recognised | None:
    """Label Studio's JSON-MIN, if the rows have its fields."""
    if len(_OF_MIN & set(names)) < 3 or "annotation_id" not in names:
        return None
    text = longest_text(rows)
    answers = [name for name in names if name != text and name not in _OF_MIN]
    if not answers:
        return None
    with_spans = [name for name in answers if holds_spans(rows, name)]
    # The question comes last in a row's own fields, after the fields of the task.
    label = next(iter([*with_spans, *answers[::-1]]))
    given = [items_of(_choices_of(fields.get(label)), None) or () for fields in rows]
    several = any(len(items) > 1 for items in given)
    return Recognised(
        {
            "layout": Layout.label_studio_min,
            "text_column": text,
            "label_column": label,
            "task": Task.token_classification if with_spans else task_of_labels(several),
        },
        Confidence.certain,
        "Rows have “annotation_id” and other marks of Label Studio's JSON-MIN.",
    )


def interpreter(form: Format, notes: Notes) -> Interpret:
    """What makes an example of a task and its annotations, or says why it cannot."""

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        data = fields.get("data")
        if not isinstance(data, dict) or form.text_column not in data:
            return DropCode.missing_field
        every = _annotations_of(fields)
        valid = [annotation for annotation in every if not annotation.get("was_cancelled")]
        if valid and len(valid) < len(every):
            notes.row(NoteCode.skipped_annotations, row)
        answers = [_answer(annotation, form) for annotation in valid]
        return decided(row, data[form.text_column], answers, form.task, notes)

    return interpret


def _annotations_of(fields: Fields) -> list[dict[str, Any]]:
    """A task's annotations, cancelled ones included."""
    found: list[Any] = next((fields[name] for name in _ANNOTATIONS if isinstance(fields.get(name), list)), [])
    return [annotation for annotation in found if isinstance(annotation, dict)]


def _results_of(annotation: dict[str, Any]) -> list[dict[str, Any]]:
    """What was marked in an annotation: its regions, choices and the like."""
    results = annotation.get("result")
    found = results if isinstance(results, list) else []
    return [result for result in found if isinstance(result, dict) and isinstance(result.get("value"), dict)]


def _answer(annotation: dict[str, Any], form: Format) -> Answer | None:
    values = [
        result["value"] for result in _results_of(annotation) if result.get("from_name") == form.label_column
    ]
    if form.task is Task.token_classification:
        return answer_of(values, form.task)
    return answer_of([choice for value in values for choice in value.get("choices") or ()], form.task)


def interpreter_min(form: Format, notes: Notes) -> Interpret:
    """What makes an example of rows that `gathered` has put together, or says why it cannot."""

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        if form.text_column not in fields:
            return DropCode.missing_field
        answers = [answer_of(_choices_of(value), form.task) for value in fields[_ANSWERS]]
        return decided(row, fields[form.text_column], answers, form.task, notes)

    return interpret


def _choices_of(value: Any) -> Any:
    """What was chosen: Label Studio wraps several choices into an object, and a single one into nothing."""
    return value["choices"] if isinstance(value, dict) and "choices" in value else value


def gathered(records: Iterable[Record], form: Format) -> Iterator[Record]:
    """The rows of JSON-MIN with all answers about a text in its first row; the others are its copies."""
    every, question = list(records), form.label_column or ""
    answers: dict[str, list[Any]] = {}
    for record in every:
        if not isinstance(record.fields, DropCode) and question in record.fields:
            answers.setdefault(_task_of(record.fields, form), []).append(record.fields[question])
    seen: set[str] = set()
    for record in every:
        if isinstance(record.fields, DropCode):
            yield record
        elif (task := _task_of(record.fields, form)) in seen:
            yield record._replace(fields=DropCode.annotated_again, original=record.shown)
        else:
            seen.add(task)
            given = answers.get(task, [])
            yield Record(record.row, {**record.fields, _ANSWERS: given}, record.shown)


def _task_of(fields: Fields, form: Format) -> str:
    return f"id {fields['id']}" if "id" in fields else f"text {fields.get(form.text_column)}"


def _annotated(fields: Fields) -> bool:
    return any(isinstance(fields.get(name), list) for name in _ANNOTATIONS)
