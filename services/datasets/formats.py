"""How a file is to be read: guessed by us, corrected by the customer, kept with the version."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from services.datasets.encodings import Encoding
from services.datasets.errors import SameColumn, UnknownColumn
from services.training.recipe import Task

Delimiter = Literal[",", ";", "\t", "|", " "]


class Container(StrEnum):
    """What kind of file the rows stand in."""

    delimited = "delimited"  # CSV, TSV and their like
    jsonl = "jsonl"  # one JSON object per line
    conll = "conll"  # one token per line, an empty line after each sentence


class Format(BaseModel):
    """Container, encoding and columns of a file.

    `delimiter` is None for JSONL and a blank for any run of white space. Columns without a header are called
    "column 1", "column 2" and so on. In CoNLL the text column holds the tokens, the label column the tags.

    Raises:
        UnknownColumn: text or label column is not among the columns.
        SameColumn: both are the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    container: Container
    encoding: Encoding
    delimiter: Delimiter | None
    has_header: bool
    columns: tuple[str, ...]
    text_column: str
    label_column: str
    task: Task

    @model_validator(mode="after")
    def _columns_exist(self) -> Self:
        for column in (self.text_column, self.label_column):
            if column not in self.columns:
                raise UnknownColumn(column, self.columns)
        if self.text_column == self.label_column:
            raise SameColumn(self.text_column)
        return self

    def mapped(self, *, text_column: str | None = None, label_column: str | None = None) -> "Format":
        """The same file with the text or the label in another column.

        Raises:
            UnknownColumn: there is no such column.
            SameColumn: text and label would be the same.
        """
        text, label = text_column or self.text_column, label_column or self.label_column
        return Format(**{**dict(self), "text_column": text, "label_column": label})


def numbered(count: int) -> tuple[str, ...]:
    """The names of columns that have none."""
    return tuple(f"column {number}" for number in range(1, count + 1))
