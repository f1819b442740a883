"""Rows that cannot be used, each with its reason: a row is used or dropped, never lost."""

from dataclasses import dataclass
from enum import StrEnum

from services.datasets.encodings import visible
from services.datasets.limits import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS, MAX_TOKENS


class DropCode(StrEnum):
    """Why a row was dropped."""

    empty_row = "empty_row"
    empty_text = "empty_text"
    missing_label = "missing_label"
    unreadable_row = "unreadable_row"
    wrong_column_count = "wrong_column_count"
    bad_json = "bad_json"
    missing_field = "missing_field"
    wrong_type = "wrong_type"
    text_too_long = "text_too_long"
    label_too_long = "label_too_long"
    empty_token = "empty_token"  # noqa: S105
    broken_tag = "broken_tag"
    too_many_tokens = "too_many_tokens"

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
    DropCode.missing_field: "The text field or the label field is absent.",
    DropCode.wrong_type: "The text or the label is neither a string nor a number.",
    DropCode.text_too_long: f"The text has more than {MAX_TEXT_CHARACTERS:,} characters.",
    DropCode.label_too_long: f"The label has more than {MAX_LABEL_CHARACTERS} characters.",
    DropCode.empty_token: "A token of the sentence is empty.",
    DropCode.broken_tag: "A tag is neither O nor a type after B-, I-, E-, L-, S- or U-.",
    DropCode.too_many_tokens: f"Over {MAX_TOKENS:,} tokens without an empty line, which ends a sentence.",
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
