"""Rows that cannot be used, each with its reason: a row is used or dropped, never lost."""

from dataclasses import dataclass
from enum import StrEnum

from services.datasets.encodings import visible
from services.datasets.limits import (
    MAX_LABEL_CHARACTERS,
    MAX_MESSAGES,
    MAX_TEXT_CHARACTERS,
    MAX_TOKENS,
)


class DropCode(StrEnum):
    """Why a row was dropped."""

    empty_row = "empty_row"
    empty_text = "empty_text"
    missing_label = "missing_label"
    unreadable_row = "unreadable_row"
    wrong_column_count = "wrong_column_count"
    bad_json = "bad_json"
    repeated_key = "repeated_key"
    bad_number = "bad_number"
    missing_field = "missing_field"
    wrong_type = "wrong_type"
    text_too_long = "text_too_long"
    label_too_long = "label_too_long"
    empty_token = "empty_token"  # noqa: S105
    broken_tag = "broken_tag"
    left_out_by_fix = "left_out_by_fix"
    too_many_tokens = "too_many_tokens"
    tags_differ = "tags_differ"
    span_outside = "span_outside"
    span_mismatch = "span_mismatch"
    not_annotated = "not_annotated"
    annotated_again = "annotated_again"
    bad_score = "bad_score"
    unknown_role = "unknown_role"
    no_answer = "no_answer"
    too_many_messages = "too_many_messages"

    @property
    def sentence(self) -> str:
        """The reason, for the person."""
        return _SENTENCES[self]


_SENTENCES = {
    DropCode.empty_row: "The row is empty.",
    DropCode.empty_text: "The text is empty.",
    DropCode.missing_label: "The label is missing.",
    DropCode.unreadable_row: "A quote is not closed, or characters do not fit the file's encoding.",
    DropCode.wrong_column_count: "The row has more or fewer columns than the others.",
    DropCode.bad_json: "The line is not one JSON object.",
    DropCode.repeated_key: "A name stands twice in one JSON object.",
    DropCode.bad_number: "A number is NaN, infinite, or has over 300 digits.",
    DropCode.missing_field: "The text field or the label field is absent.",
    DropCode.wrong_type: "The text or the label is of a kind that does not belong there.",
    DropCode.text_too_long: f"The text has more than {MAX_TEXT_CHARACTERS:,} characters.",
    DropCode.label_too_long: f"The label has more than {MAX_LABEL_CHARACTERS} characters.",
    DropCode.empty_token: "A token of the sentence is empty.",
    DropCode.left_out_by_fix: "A fix left the row out.",
    DropCode.broken_tag: "A tag is neither O nor a type after B-, I-, E-, L-, S- or U-.",
    DropCode.too_many_tokens: f"Over {MAX_TOKENS:,} tokens without an empty line, which ends a sentence.",
    DropCode.tags_differ: "There are more or fewer tags than tokens.",
    DropCode.span_outside: "An entity is empty, or begins or ends outside of the text.",
    DropCode.span_mismatch: "At the place of an entity, the text is not what the annotation says.",
    DropCode.not_annotated: "Nobody has annotated the row, or the annotation was skipped or rejected.",
    DropCode.annotated_again: "The text was annotated before; its row has the answer of the majority.",
    DropCode.bad_score: "The score is not a number.",
    DropCode.unknown_role: "A message is from nobody we know: not system, user, assistant or tool.",
    DropCode.no_answer: "The assistant says nothing in the conversation.",
    DropCode.too_many_messages: f"The conversation has more than {MAX_MESSAGES:,} messages.",
}


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row left out: its number in the file, the reason, and its cells (or its whole line) as they came."""

    row: int
    code: DropCode
    original: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The reason, for the person."""
        return self.code.sentence


def drop(row: int, code: DropCode, *original: str) -> Dropped:
    """Leave a row out, keeping what can be shown of it."""
    return Dropped(row, code, tuple(visible(cell) for cell in original))
