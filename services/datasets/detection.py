"""Guess how a file is to be read, and say how sure that is."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from pydantic import TypeAdapter
from typing_extensions import TypedDict, Unpack

from services.datasets.dropped import DropCode
from services.datasets.encodings import Encoding, decode, detect_encoding, visible
from services.datasets.errors import (
    EmptyFile,
    FileTooLarge,
    OneColumn,
    TooManyColumns,
    UnsupportedFormat,
)
from services.datasets.formats import Container, Delimiter, Format, Layout, Packing, Quote, numbered
from services.datasets.layouts.recognised import Confidence, Wanted
from services.datasets.layouts.recognising import recognise
from services.datasets.limits import MAX_BYTES, MAX_COLUMNS
from services.datasets.packing import PARQUET, is_workbook, packing_of, unpack
from services.datasets.readers import conll, delimited, excel, fasttext, json_list, jsonl, parquet
from services.datasets.readers.columns import looks_like_header, unique_names
from services.datasets.records import Fields, Record, scalar
from services.datasets.split import split_named
from services.training.recipe import Task

_SAMPLE_ROWS = 500
# In running text, about as many commas as in the line before are chance; in a table they are the rule.
_TABLE_SHARE = 0.97
# What a page shows of a file to say which column is which.
_SHOWN_ROWS, _SHOWN_CHARACTERS = 4, 80
_SPLIT_NAMES = {"split", "set", "subset", "fold", "partition"}


class Known(TypedDict, total=False):
    """What a person knows of a file; what is left out or None is guessed."""

    encoding: Encoding | None
    container: Container | None
    delimiter: Delimiter | None
    # Known to be none where it is there and None.
    quote: Quote | None
    has_header: bool | None
    sheet: str | None
    layout: Layout | None
    task: Task | None
    text_column: str | None
    label_column: str | None
    label_names: tuple[str, ...]


KNOWN = TypeAdapter(Known)


@dataclass(frozen=True, slots=True)
class Guess:
    """A file's likely format, how sure we are of it, and the sentence that says why."""

    form: Format
    confidence: Confidence
    reason: str
    # The first rows, a cell for each of the form's columns, cut short; and the sheets of a workbook.
    sample: tuple[tuple[str, ...], ...] = ()
    sheets: tuple[str, ...] = ()


def detect(content: bytes, **known: Unpack[Known]) -> Format:
    """The likely format of a file; what is known is not guessed. See `guess`."""
    return guess(content, **known).form


def guess(content: bytes, **known: Unpack[Known]) -> Guess:
    """The likely format of a file, with our reasons; what is known is not guessed.

    Raises:
        FileTooLarge, EmptyFile, BinaryFile, UnsupportedFormat, OneColumn, TooManyColumns, TooManyRows: it
            cannot be read.
        UnpacksTooLarge, DamagedFile, EncryptedFile, SeveralFiles: it cannot be unpacked.
        BrokenJson, UnknownSheet: as their sentences say.
        UnknownColumn, SameColumn: what is known does not fit the file.
    """
    if len(content) > MAX_BYTES:
        raise FileTooLarge(len(content))
    packing = packing_of(content)
    found = guess_unpacked(unpack(content, packing), known)
    names = known.get("label_names") or found.form.label_names
    form = found.form.changed(packing=packing, label_names=names)
    if packing is Packing.splits:
        form = form.changed(split_column=None)  # the files say which rows are for what
    return replace(found, form=form)


def guess_unpacked(content: bytes, known: Known) -> Guess:
    """The same for what is not packed.

    Raises:
        ServiceError: as `guess`.
    """
    container = known.get("container") or _binary_container(content)
    if container is Container.parquet:
        return _parquet(content, known)
    if container is Container.excel:
        return _excel(content, known)
    encoding = known.get("encoding") or detect_encoding(content)
    text = decode(content, encoding)
    match container or _text_container(text):
        case Container.json:
            return _objects(json_list.read(text), known, container=Container.json, encoding=encoding)
        case Container.jsonl:
            return _objects(jsonl.read(text), known, container=Container.jsonl, encoding=encoding)
        case Container.conll:
            return _conll(text, encoding, known)
        case Container.fasttext:
            return _fasttext(text, encoding)
    return _delimited(text, encoding, known)


def _binary_container(content: bytes) -> Container | None:
    if content.startswith(PARQUET):
        return Container.parquet
    return Container.excel if is_workbook(content) else None


def _text_container(text: str) -> Container:
    if jsonl.is_jsonl(text):
        return Container.jsonl
    if json_list.is_json(text):
        return Container.json
    if fasttext.is_fasttext(text):
        return Container.fasttext
    return Container.conll if conll.is_conll(text) else Container.delimited


def _objects(records: Iterator[Record], known: Known, **container: Any) -> Guess:
    found = list(islice(records, _SAMPLE_ROWS))
    if not found:
        raise EmptyFile
    rows = [record.fields for record in found if not isinstance(record.fields, DropCode)]
    names = tuple(dict.fromkeys(name for fields in rows for name in fields))
    return _recognised(names, rows, known, delimiter=None, has_header=False, **container)


def _parquet(content: bytes, known: Known) -> Guess:
    file = parquet.open_table(content)
    found = _objects(parquet.read(file), known, container=Container.parquet, encoding=None)
    names = parquet.label_names(file, found.form.label_column or "")
    return replace(found, form=found.form.changed(label_names=names))


def _excel(content: bytes, known: Known) -> Guess:
    sheet = excel.open_sheet(content, known.get("sheet"))
    found = _table(
        excel.sample(sheet),
        known,
        container=Container.excel,
        encoding=None,
        delimiter=None,
        sheet=sheet.name,
    )
    return replace(found, sheets=sheet.names)


def _delimited(text: str, encoding: Encoding, known: Known) -> Guess:
    delimiter = known.get("delimiter") or _delimiter_of(text, known)
    quote = known["quote"] if "quote" in known else delimited.detect_quote(text, delimiter or delimited.NONE)
    return _table(
        delimited.sample(text, delimiter or delimited.NONE, quote),
        known,
        container=Container.delimited,
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
    )


def _delimiter_of(text: str, known: Known) -> Delimiter | None:
    """What stands between the cells; None where each line is a text, and nothing else is asked for."""
    if known.get("task") is not Task.unlabelled:
        return delimited.detect_delimiter(text)
    try:
        return delimited.detect_delimiter(text, least=_TABLE_SHARE)
    except OneColumn:
        return None


def _table(cells: list[tuple[str, ...]], known: Known, **container: Any) -> Guess:
    width = delimited.usual_width(cells)
    least = 1 if known.get("task") is Task.unlabelled else 2
    _check_width(width, least)
    has_header = known.get("has_header")
    if has_header is None:
        has_header = looks_like_header([row for row in cells if len(row) == width])
    names = unique_names(cells[0]) if has_header else numbered(width)
    _check_width(len(names), least)
    rows = [dict(zip(names, row, strict=True)) for row in cells[has_header:] if len(row) == len(names)]
    return _recognised(names, rows, known, has_header=has_header, **container)


def _conll(text: str, encoding: Encoding, known: Known) -> Guess:
    delimiter = known.get("delimiter") or conll.detect_delimiter(text)
    names = conll.detect_columns(text, delimiter)
    _check_width(len(names))
    tags = known.get("label_column") or conll.tag_column(text, delimiter) or names[-1]
    tokens = known.get("text_column") or (conll.FORM if names[0] == conll.ID else names[0])
    form = Format(
        container=Container.conll,
        encoding=encoding,
        delimiter=delimiter,
        has_header=False,
        columns=names,
        text_column=tokens,
        label_column=tags,
        task=Task.token_classification,
    )
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith(("#", "-DOCSTART-")))
    cells = [line.split(None if delimiter == " " else delimiter) for line in islice(lines, _SHOWN_ROWS)]
    sample = [dict(zip(names, row, strict=False)) for row in cells]
    reason = f"Every line has a token and, in “{tags}”, its tag."
    return Guess(form, Confidence.certain, reason, _cut(names, sample))


def _fasttext(text: str, encoding: Encoding) -> Guess:
    if not fasttext.is_fasttext(text):
        raise UnsupportedFormat("lines without a label", "Begin each with __label__ and the label's name.")
    labels = [
        record.fields[fasttext.LABELS]
        for record in islice(fasttext.read(text), _SAMPLE_ROWS)
        if not isinstance(record.fields, DropCode)
    ]
    several = any(len(names) != 1 for names in labels)
    form = Format(
        container=Container.fasttext,
        encoding=encoding,
        delimiter=None,
        has_header=False,
        columns=fasttext.COLUMNS,
        text_column=fasttext.TEXT,
        label_column=fasttext.LABELS,
        task=Task.multi_label if several else Task.text_classification,
    )
    reason = "Lines begin with “__label__”: this looks like fastText."
    rows = [record.fields for record in islice(fasttext.read(text), _SHOWN_ROWS)]
    return Guess(form, Confidence.certain, reason, _cut(form.columns, rows))


def _recognised(names: tuple[str, ...], rows: Sequence[Fields], known: Known, **container: Any) -> Guess:
    if len(names) > MAX_COLUMNS:
        raise TooManyColumns(len(names))
    wanted = Wanted(
        known.get("text_column"), known.get("label_column"), known.get("task"), known.get("layout")
    )
    found = recognise(names, rows, wanted)
    form = Format(**{"columns": found.columns or names, **container, **found.fields})
    if split_column := _split_column(form, rows):
        form = form.changed(split_column=split_column)
    return Guess(form, found.confidence, found.reason, _cut(form.columns, rows[:_SHOWN_ROWS]))


def _cut(names: tuple[str, ...], rows: Iterable[Fields | DropCode]) -> tuple[tuple[str, ...], ...]:
    """The beginnings of these rows' cells."""

    def cell(value: Any) -> str:
        text = scalar(value)
        whole = json.dumps(value, ensure_ascii=False, default=str) if text is None else text
        return visible(whole[:_SHOWN_CHARACTERS])

    return tuple(
        tuple(cell(row.get(name)) for name in names) for row in rows if not isinstance(row, DropCode)
    )


def _split_column(form: Format, rows: Sequence[Fields]) -> str | None:
    """A column that is called so and says of every row which split it is for."""
    for name in form.columns:
        if name.casefold() in _SPLIT_NAMES and name not in form.used_columns:
            words = [scalar(row.get(name)) or "" for row in rows]
            if words and all(map(split_named, words)):
                return name
    return None


def _check_width(columns: int, least: int = 2) -> None:
    if columns < least:
        raise OneColumn
    if columns > MAX_COLUMNS:
        raise TooManyColumns(columns)
