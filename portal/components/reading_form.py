"""How a file is to be read: our guess, open to correction."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from portal.errors import show
from portal.highlight import literal
from portal.names import TASK_WORDS
from services.datasets.detection import Guess, Known
from services.datasets.encodings import Encoding
from services.datasets.formats import Container, Delimiter, Format
from services.datasets.preview import guess
from services.errors import ServiceError
from services.training.recipe import Task

Choice = TypeVar("Choice")

CONTAINERS = {
    Container.delimited: "Table (CSV, TSV)",
    Container.jsonl: "JSON lines",
    Container.json: "JSON",
    Container.excel: "Excel workbook",
    Container.parquet: "Parquet",
    Container.conll: "Tokens (CoNLL)",
    Container.fasttext: "fastText",
}
_DELIMITERS: dict[Delimiter, str] = {
    ",": "Comma",
    ";": "Semicolon",
    "\t": "Tab",
    "|": "Vertical bar",
    " ": "Blanks",
}
_ENCODINGS = {
    Encoding.utf_8: "UTF-8",
    Encoding.utf_16_le: "UTF-16, little endian",
    Encoding.utf_16_be: "UTF-16, big endian",
    Encoding.gb18030: "GB 18030 (Chinese)",
    Encoding.windows_1252: "Windows-1252 (Western)",
}


def reading_form(content: bytes, *, key: str, kept: Format | None = None) -> Format | None:
    """Our guess with the person's corrections; None when the file cannot be read so, which is then shown.

    `kept` is how the file was read before; the form begins there, where there is one.
    """
    with st.container(border=True):
        try:
            known, found = _file(content, key, kept)
            return _columns(content, known, found, key)
        except ServiceError as problem:
            show(problem)
            return None


def _file(content: bytes, key: str, kept: Format | None) -> tuple[Known, Guess]:
    """What the person says of the file as such, where it differs from our guess; and the guess by that."""
    found, known = guess(content), Known()
    if kept is not None:
        found = replace(found, form=kept)
        known = Known(
            container=kept.container,
            encoding=kept.encoding,
            delimiter=kept.delimiter,
            has_header=kept.has_header,
        )
    form, before = found.form, Known(**known)
    first, second, third, fourth = st.columns(4, vertical_alignment="bottom")
    container = _choose(first, "Kind of file", CONTAINERS, form.container, key=f"container:{key}")
    if container is not form.container:
        known["container"] = container
    if form.encoding is not None:
        encoding = _choose(second, "Encoding", _ENCODINGS, form.encoding, key=f"encoding:{key}")
        if encoding is not form.encoding:
            known["encoding"] = encoding
    if known != before:
        # Of another kind of file neither is known any more.
        known.pop("delimiter", None)
        known.pop("has_header", None)
        found, before = guess(content, **known), Known(**known)
        form = found.form
    if form.delimiter is None:
        return known, found
    delimiter = _choose(
        third, "Separator", _DELIMITERS, form.delimiter, key=f"delimiter:{form.container}:{key}"
    )
    if delimiter != form.delimiter:
        known["delimiter"] = delimiter
    if form.container is Container.delimited:
        header = fourth.toggle("First row is a header", form.has_header, key=f"header:{delimiter}:{key}")
        if header != form.has_header:
            known["has_header"] = header
    if known != before:
        found = guess(content, **known)
    return known, found


def _columns(content: bytes, known: Known, found: Guess, key: str) -> Format:
    form = found.form
    # Other columns are other choices: what was chosen among the former ones is forgotten.
    place = f"{hash(form.columns)}:{key}"
    columns = {column: column for column in form.columns}
    tokens = form.task is Task.token_classification
    first, second, third = st.columns([1, 1, 2], vertical_alignment="bottom")
    text = _choose(
        first,
        "Column of the tokens" if tokens else "Column of the text",
        columns,
        form.text_column,
        key=f"text:{place}",
    )
    label = form.label_column
    if label is not None:
        label = _choose(
            second,
            "Column of the tags" if tokens else "Column of the label",
            columns,
            label,
            key=f"label:{place}",
        )
    if (text, label) != (form.text_column, form.label_column):
        known["text_column"], known["label_column"] = text, label
        found = guess(content, **known)
    third.caption(f"Makes a data set for **{TASK_WORDS[found.form.task].lower()}**. {literal(found.reason)}")
    return _splitting(found.form, place)


def _splitting(form: Format, place: str) -> Format:
    """Which columns say how the rows are to be divided, where there are any left to say so."""
    asked = form.changed(split_column=None, group_column=None)
    free: dict[str | None, str] = {
        None: "None",
        **{name: name for name in form.columns if name not in asked.used_columns},
    }
    if len(free) == 1 or form.container is Container.conll:
        return form
    first, second, third = st.columns([1, 1, 2], vertical_alignment="bottom")
    split = _choose(first, "Column of the split", free, form.split_column, key=f"split:{place}")
    group = _choose(second, "Column of the group", free, form.group_column, key=f"group:{place}")
    third.caption(
        "A split column says which rows are for training, validation and test. Rows of one group, "
        "such as a customer, are never divided between them."
    )
    return form.changed(split_column=split, group_column=group)


def _choose(
    place: DeltaGenerator, label: str, words: Mapping[Choice, str], now: Choice, *, key: str
) -> Choice:
    options = list(words)
    return place.selectbox(label, options, index=options.index(now), format_func=words.__getitem__, key=key)
