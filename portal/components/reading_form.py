"""How a file is to be read: our guess, and everything about it open to correction."""

from collections.abc import Mapping
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from portal.components.column_roles import column_roles
from portal.errors import show
from portal.highlight import literal
from portal.names import TASK_WORDS
from services import storage
from services.datasets.detection import KNOWN, Guess, Known
from services.datasets.encodings import Encoding
from services.datasets.formats import Container, Delimiter, Format, Layout, Quote
from services.datasets.preview import GUESS, guess
from services.datasets.tables import Upload
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
_DELIMITERS: dict[Delimiter | None, str] = {
    ",": "Comma",
    ";": "Semicolon",
    "\t": "Tab",
    "|": "Vertical bar",
    " ": "Blanks",
}
_QUOTES: dict[Quote | None, str] = {'"': 'Between " and "', "'": "Between ' and '", None: "Not quoted"}
_ENCODINGS = {
    Encoding.utf_8: "UTF-8",
    Encoding.utf_16_le: "UTF-16, little endian",
    Encoding.utf_16_be: "UTF-16, big endian",
    Encoding.gb18030: "GB 18030 (Chinese)",
    Encoding.windows_1252: "Windows-1252 (Western)",
}
_LAYOUTS = {
    Layout.columns: "A column for each thing",
    Layout.tokens: "Lists of tokens and tags",
    Layout.doccano: "doccano",
    Layout.prodigy: "Prodigy",
    Layout.spacy: "spaCy",
    Layout.label_studio: "Label Studio",
    Layout.label_studio_min: "Label Studio (JSON-MIN)",
    Layout.argilla: "Argilla",
    Layout.argilla_flat: "Argilla (flat)",
    Layout.messages: "OpenAI messages",
    Layout.prompt_completion: "Prompt and completion",
    Layout.alpaca: "Alpaca",
    Layout.sharegpt: "ShareGPT",
}
# What a person may say of a file as such, and a draft remembers.
_OF_FILE = ("container", "encoding", "delimiter", "quote", "has_header", "sheet", "layout", "task")


def reading_form(upload: Upload, *, kept: Format | None = None) -> Format | None:
    """Our guess with the person's corrections; None when the file cannot be read so, which is then shown.

    `kept` is how the file was read before; the form begins there, where there is one.
    """
    with st.container(border=True):
        known = KNOWN.validate_python({name: getattr(kept, name) for name in _OF_FILE}) if kept else Known()
        try:
            found = _of_file(upload, known)
        except ServiceError as problem:
            show(problem)
            return _without_labels(upload) if not known else None
        # Where nothing was said otherwise, columns are what they were.
        as_before = kept and all(getattr(kept, name) == getattr(found.form, name) for name in _OF_FILE)
        return column_roles(found, kept if kept and as_before else found.form, key=upload.id)


def _of_file(upload: Upload, known: Known) -> Guess:
    """The guess by what is known and what the person says of the file as such."""
    found = _guess(upload, known)
    places = iter(st.columns(4, vertical_alignment="bottom") + st.columns(4, vertical_alignment="bottom"))

    def ask(name: str, label: str, words: Mapping[Any, str]) -> None:
        nonlocal found, known
        now = getattr(found.form, name)
        # Another kind of file asks anew what was asked of the former one.
        key = f"{name}:{found.form.container}:{upload.id}"
        chosen = _choose(next(places), label, words, now, key=key)
        if chosen == now:
            return
        # What stands below depends on it, and is guessed anew.
        above = _OF_FILE[: _OF_FILE.index(name)]
        known = KNOWN.validate_python({**{k: v for k, v in known.items() if k in above}, name: chosen})
        found = _guess(upload, known)

    ask("container", "Kind of file", CONTAINERS)
    if found.form.encoding is not None:
        ask("encoding", "Encoding", _ENCODINGS)
    if found.form.delimiter is not None:
        ask("delimiter", "Separator", _DELIMITERS)
    if found.form.container is Container.delimited:
        ask("quote", "Cells are", _QUOTES)
    if found.form.container in (Container.delimited, Container.excel):
        ask("has_header", "First row", {True: "Names the columns", False: "Is data"})
    if len(found.sheets) > 1:
        ask("sheet", "Sheet", {sheet: sheet for sheet in found.sheets})
    if found.form.container not in (Container.conll, Container.fasttext):
        ask("layout", "Layout", _LAYOUTS)
        ask("task", "What is to be learned", TASK_WORDS)
    st.caption(
        f"Makes a data set for **{TASK_WORDS[Task(found.form.task)].lower()}**. {literal(found.reason)}"
    )
    return found


def _without_labels(upload: Upload) -> Format | None:
    """The way on with a file in which no labels were found: texts alone."""
    if not st.toggle("These are texts without labels", key=f"unlabelled:{upload.id}"):
        return None
    try:
        found = _guess(upload, Known(task=Task.unlabelled))
    except ServiceError:
        return None
    return column_roles(found, found.form, key=upload.id)


def _guess(upload: Upload, known: Known) -> Guess:
    told = KNOWN.dump_json(known).decode()
    return GUESS.validate_json(_guess_once(upload.tenant_id, upload.storage_key, told))


@st.cache_data(ttl="30m", max_entries=256, show_spinner=False)
def _guess_once(tenant_id: str, storage_key: str, known: str) -> bytes:  # noqa: ARG001
    """The guess as JSON; a tenant's file and what is known of it are the key."""
    with storage.opened(storage_key) as content:
        return GUESS.dump_json(guess(content, **KNOWN.validate_json(known)))


def _choose(
    place: DeltaGenerator, label: str, words: Mapping[Choice, str], now: Choice, *, key: str
) -> Choice:
    options = list(words) if now in words else [now, *words]
    shown = {**{now: str(now)}, **words}
    return place.selectbox(label, options, index=options.index(now), format_func=shown.__getitem__, key=key)
