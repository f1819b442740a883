"""Exports of Argilla: records with fields and responses inside one another, or flat with dotted names."""

from collections.abc import Sequence
from typing import Any

from services.datasets.dropped import DropCode
from services.datasets.examples import Example
from services.datasets.formats import Format, Layout
from services.datasets.layouts.annotators import answer_of, decided
from services.datasets.layouts.columns import Interpret
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
from services.datasets.records import Fields
from services.training.recipe import Task

_OF_ARGILLA = frozenset({"id", "status", "_server_id", "inserted_at", "updated_at", "metadata", "vectors"})
_RESPONSES = ".responses"
_STATUS = ".responses.status"
_SUBMITTED = "submitted"


def recognise(_: Sequence[str], rows: Rows) -> Recognised | None:
    """Argilla's records, if most of the rows have fields and responses."""
    records = [fields for fields in rows if isinstance(fields.get("fields"), dict) and "responses" in fields]
    if not is_most(records, rows):
        return None
    texts = [fields["fields"] for fields in records]
    questions = union(question for fields in records for question in _questions_of(fields))
    question = questions[0] if questions else "label"
    values = [value for fields in records for value, _ in _responses_of(fields, question)]
    return Recognised(
        {
            "layout": Layout.argilla,
            "text_column": longest_text(texts),
            "label_column": question,
            "task": _task_of(values),
        },
        confidence_of(records, rows),
        "Rows have “fields” and “responses”: this looks like Argilla.",
        columns=union([*(name for fields in texts for name in fields), question, *questions]),
    )


def recognise_flat(names: Sequence[str], rows: Rows) -> Recognised | None:
    """Argilla's flat records, if there is a column of responses."""
    questions = [name for name in names if name.endswith(_RESPONSES)]
    if not questions:
        return None
    values = [value for fields in rows for value in fields.get(questions[0]) or ()]
    plain = [
        {name: value for name, value in fields.items() if "." not in name and name not in _OF_ARGILLA}
        for fields in rows
    ]
    return Recognised(
        {
            "layout": Layout.argilla_flat,
            "text_column": longest_text(plain),
            "label_column": questions[0],
            "task": _task_of(values),
        },
        Confidence.certain,
        f"There is a column “{questions[0]}”: this looks like Argilla.",
    )


def interpreter(form: Format, notes: Notes) -> Interpret:
    """What makes an example of a record and its responses, or says why it cannot."""

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        texts = fields.get("fields")
        if not isinstance(texts, dict) or form.text_column not in texts:
            return DropCode.missing_field
        responses = _responses_of(fields, form.label_column or "")
        return _decided(row, texts[form.text_column], responses, form, notes)

    return interpret


def interpreter_flat(form: Format, notes: Notes) -> Interpret:
    """The same for records whose responses stand in columns of their own."""
    question = form.label_column or ""

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        if form.text_column not in fields:
            return DropCode.missing_field
        values, statuses = fields.get(question) or [], fields.get(_status_of(question)) or []
        if not isinstance(values, list) or not isinstance(statuses, list):
            return DropCode.wrong_type
        statuses += [_SUBMITTED] * (len(values) - len(statuses))
        responses = list(zip(values, statuses, strict=False))
        return _decided(row, fields[form.text_column], responses, form, notes)

    return interpret


def _responses_of(fields: Fields, question: str) -> list[tuple[Any, str]]:
    """What people answered to a question, each with the status of the answer."""
    responses = fields.get("responses")
    if isinstance(responses, dict):
        given = responses.get(question) or []
        return [
            (answer.get("value"), str(answer.get("status", _SUBMITTED)))
            for answer in given
            if isinstance(answer, dict)
        ]
    found: list[tuple[Any, str]] = []
    # Before Argilla 2 there was one response for each person, with all of their answers.
    for response in responses if isinstance(responses, list) else []:
        values = response.get("values") if isinstance(response, dict) else None
        if isinstance(values, dict) and isinstance(values.get(question), dict):
            status = str(response.get("status", _SUBMITTED))
            found.append((values[question].get("value"), status))
    return found


def _questions_of(fields: Fields) -> list[str]:
    """The questions that a nested record has answers to."""
    responses = fields.get("responses")
    if isinstance(responses, dict):
        return list(responses)
    answers = [response.get("values") for response in responses or () if isinstance(response, dict)]
    return [question for values in answers if isinstance(values, dict) for question in values]


def _decided(
    row: int, text: Any, responses: Sequence[tuple[Any, str]], form: Format, notes: Notes
) -> Example | DropCode:
    submitted = [value for value, status in responses if status == _SUBMITTED]
    if submitted and len(submitted) < len(responses):
        notes.row(NoteCode.skipped_annotations, row)
    return decided(row, text, [answer_of(value, form.task) for value in submitted], form.task, notes)


def _status_of(question: str) -> str:
    return question.removesuffix(_RESPONSES) + _STATUS


def _task_of(values: Sequence[Any]) -> Task:
    if any(isinstance(value, list) and value and isinstance(value[0], dict | list) for value in values):
        return Task.token_classification
    return task_of_labels(any(isinstance(value, list) for value in values))
