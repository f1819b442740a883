"""Exports of Argilla: records with fields and responses inside one another, or flat with dotted names."""

from collections.abc import Sequence
from typing import Any

from services.datasets.dropped import DropCode
from services.datasets.examples import Example
from services.datasets.formats import Format
from services.datasets.layouts.annotators import answer_of, decided
from services.datasets.layouts.columns import Interpret
from services.datasets.notes import NoteCode, Notes
from services.datasets.records import Fields

RESPONSES = ".responses"
_STATUS = ".responses.status"
_SUBMITTED = "submitted"


def interpreter(form: Format, notes: Notes) -> Interpret:
    """What makes an example of a record and its responses, or says why it cannot."""

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        texts = fields.get("fields")
        if not isinstance(texts, dict) or form.text_column not in texts:
            return DropCode.missing_field
        responses = responses_of(fields, form.label_column or "")
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


def responses_of(fields: Fields, question: str) -> list[tuple[Any, str]]:
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


def questions_of(fields: Fields) -> list[str]:
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
    return question.removesuffix(RESPONSES) + _STATUS
