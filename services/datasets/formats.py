"""How a file is to be read: guessed by us, corrected by the customer, kept with the version."""

from collections.abc import Collection
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.datasets.encodings import Encoding
from services.datasets.errors import SameColumn, UnknownColumn
from services.training.recipe import Task

Delimiter = Literal[",", ";", "\t", "|", " "]
Quote = Literal['"', "'"]
Separator = Literal[",", ";", "|"]


class Packing(StrEnum):
    """What the file is packed in."""

    gzip = "gzip"
    zip = "zip"  # an archive of this one file
    splits = "splits"  # a zip archive of two or three files, each of which is one split


class Container(StrEnum):
    """What kind of file the rows stand in."""

    delimited = "delimited"  # CSV, TSV and their like
    jsonl = "jsonl"  # one JSON object per line
    json = "json"  # one JSON list of objects, or an object that holds one
    excel = "excel"  # an XLSX workbook, of which one sheet is read
    parquet = "parquet"
    conll = "conll"  # one token per line, an empty line after each sentence; CoNLL-U as well
    fasttext = "fasttext"  # one text per line, its labels in front as __label__name


class Layout(StrEnum):
    """What the fields of a row mean."""

    columns = "columns"  # a text, or two, and what is to be learned of it, each in its column
    tokens = "tokens"  # a list of tokens and a list of tags
    doccano = "doccano"
    prodigy = "prodigy"
    spacy = "spacy"
    label_studio = "label-studio"
    label_studio_min = "label-studio-min"
    argilla = "argilla"
    argilla_flat = "argilla-flat"
    messages = "messages"  # conversations as OpenAI writes them
    prompt_completion = "prompt-completion"
    alpaca = "alpaca"
    sharegpt = "sharegpt"


def _usual_layout(form: dict[str, Any]) -> Layout:
    return Layout.tokens if form["container"] is Container.conll else Layout.columns


class Format(BaseModel):
    """Container, encoding, layout and columns of a file.

    `encoding` is None for Excel and Parquet, which have their own. Only delimited files and CoNLL have a
    `delimiter`; there a blank stands for any run of white space. A delimited file of one column has none.
    `quote` may stand around a cell of a delimited file; None where quotes are letters like any other.
    Columns without a header are called "column 1", "column 2" and so on. In CoNLL the text column holds the
    tokens, the label column the tags.

    `label_column` is None where the label is spread over `label_columns`, one for each label with 0 or 1 in
    it, and where there is no label, as in conversations. `pair_column` has the second text of a pair.
    `separator` stands between the labels of one cell. `label_names` are the names of the labels 0, 1, 2 and
    so on, where the file holds their numbers. `split_column` says which split a row is for; rows with the
    same word in the `group_column` are of one split.

    Raises:
        UnknownColumn: a column that is named is not among the columns.
        SameColumn: one column is to be two things.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    container: Container
    encoding: Encoding | None
    delimiter: Delimiter | None
    has_header: bool
    columns: tuple[str, ...]
    text_column: str
    label_column: str | None
    task: Task
    packing: Packing | None = None
    quote: Quote | None = '"'
    sheet: str | None = None
    layout: Layout = Field(default_factory=_usual_layout)
    pair_column: str | None = None
    label_columns: tuple[str, ...] = ()
    separator: Separator | None = None
    label_names: tuple[str, ...] = ()
    split_column: str | None = None
    group_column: str | None = None

    @model_validator(mode="after")
    def _columns_exist(self) -> Self:
        self.require_columns(self.columns)
        used = self.used_columns
        for at, column in enumerate(used):
            if column in used[:at]:
                raise SameColumn(column)
        return self

    @property
    def used_columns(self) -> list[str]:
        """The columns that are read."""
        named = [
            self.text_column,
            self.pair_column,
            self.label_column,
            *self.label_columns,
            self.split_column,
            self.group_column,
        ]
        return [column for column in named if column is not None]

    def require_columns(self, columns: Collection[str]) -> None:
        """Go on only if a file with these columns can be read so.

        Raises:
            UnknownColumn: it lacks one that is read.
        """
        for column in self.used_columns:
            if column not in columns:
                raise UnknownColumn(column, columns)

    def changed(self, **fields: Any) -> "Format":
        """The format with other values in some of its fields, checked anew.

        Raises:
            UnknownColumn, SameColumn: as for any format.
        """
        return Format(**{**dict(self), **fields})


def numbered(count: int) -> tuple[str, ...]:
    """The names of columns that have none."""
    return tuple(f"column {number}" for number in range(1, count + 1))
