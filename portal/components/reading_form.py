"""How a file is to be read: our guess, open to correction."""

import streamlit as st

from portal.errors import show
from portal.names import TASK_WORDS
from services.datasets.detection import detect
from services.datasets.encodings import Encoding
from services.datasets.formats import Container, Delimiter, Format
from services.errors import ServiceError

_CONTAINERS = {
    Container.delimited: "Table (CSV, TSV)",
    Container.jsonl: "JSON lines",
    Container.conll: "Tokens (CoNLL)",
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


def reading_form(content: bytes, *, key: str) -> Format | None:
    """Our guess with the person's corrections; None when the file cannot be read so, which is then shown."""
    with st.container(border=True):
        try:
            form = _file(content, key)
            return _columns(form, key)
        except ServiceError as problem:
            show(problem)
            return None


def _file(content: bytes, key: str) -> Format:
    guess = detect(content)
    first, second, third, fourth = st.columns(4, vertical_alignment="bottom")
    container = first.selectbox(
        "Kind of file",
        list(_CONTAINERS),
        index=list(_CONTAINERS).index(guess.container),
        format_func=_CONTAINERS.__getitem__,
        key=f"container:{key}",
    )
    encoding = second.selectbox(
        "Encoding",
        list(_ENCODINGS),
        index=list(_ENCODINGS).index(guess.encoding),
        format_func=_ENCODINGS.__getitem__,
        key=f"encoding:{key}",
    )
    if (container, encoding) != (guess.container, guess.encoding):
        guess = detect(content, container=container, encoding=encoding)
    if guess.delimiter is None:
        return guess
    delimiter = third.selectbox(
        "Separator",
        list(_DELIMITERS),
        index=list(_DELIMITERS).index(guess.delimiter),
        format_func=_DELIMITERS.__getitem__,
        key=f"delimiter:{container}:{key}",
    )
    if container is Container.conll:
        return (
            guess
            if delimiter == guess.delimiter
            else detect(content, container=container, encoding=encoding, delimiter=delimiter)
        )
    header = fourth.toggle("First row is a header", guess.has_header, key=f"header:{delimiter}:{key}")
    if (delimiter, header) == (guess.delimiter, guess.has_header):
        return guess
    return detect(content, container=container, encoding=encoding, delimiter=delimiter, has_header=header)


def _columns(form: Format, key: str) -> Format:
    tokens = form.container is Container.conll
    # Other columns are other choices: what was chosen among the former ones is forgotten.
    place = f"{hash(form.columns)}:{key}"
    columns = list(form.columns)
    first, second, third = st.columns([1, 1, 2], vertical_alignment="bottom")
    text = first.selectbox(
        "Column of the tokens" if tokens else "Column of the text",
        columns,
        index=columns.index(form.text_column),
        key=f"text:{place}",
    )
    label = second.selectbox(
        "Column of the tags" if tokens else "Column of the label",
        columns,
        index=columns.index(form.label_column),
        key=f"label:{place}",
    )
    third.caption(f"Makes a data set for **{TASK_WORDS[form.task].lower()}**.")
    return form.mapped(text_column=text, label_column=label)
