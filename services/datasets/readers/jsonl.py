"""JSONL: one object per line, one of its fields the text and one the label."""

import json
from collections.abc import Iterator
from typing import Any

from services.datasets.dropped import DropCode, Dropped, drop
from services.datasets.encodings import visible
from services.datasets.errors import UnsupportedFormat
from services.datasets.examples import TextExample
from services.datasets.formats import Format
from services.datasets.readers.texts import text_example

_SAMPLE_LINES = 500
_SAMPLE_CHARACTERS = 256 * 1024
_ADVICE = "Give every line a text field and a label field."


def is_jsonl(text: str) -> bool:
    """Does a line among the first hold a JSON object of its own?

    Raises:
        UnsupportedFormat: it is JSON, but not line by line.
    """
    lines = _lines(text.lstrip()[:_SAMPLE_CHARACTERS])[:_SAMPLE_LINES]
    if not lines[0].lstrip().startswith(("{", "[")):
        return False
    if any(_parse(line) is not None for line in lines):
        return True
    if text.lstrip().startswith("{") or isinstance(_json(text), list):
        raise UnsupportedFormat("JSON that is not one object per line", "Write each row as one line (JSONL).")
    return False


def sample(text: str) -> tuple[tuple[str, ...], list[list[str]]]:
    """The fields that the first objects have, and their values as a table of strings.

    Raises:
        UnsupportedFormat: conversations, lists of tokens, or a single field.
    """
    found = [_parse(line) for line in _lines(text)[:_SAMPLE_LINES]]
    objects = [fields for fields in found if fields is not None]
    names = tuple(dict.fromkeys(name for fields in objects for name in fields))
    if "messages" in names:
        raise UnsupportedFormat("a set of conversations", _ADVICE)
    if "tokens" in names:
        raise UnsupportedFormat("tokens as JSON", "Save them as CoNLL, one token and its tag per line.")
    if len(names) < 2:
        raise UnsupportedFormat("JSON lines of a single field", _ADVICE)
    return names, [[_scalar(fields.get(name)) or "" for name in names] for fields in objects]


def read(text: str, form: Format) -> Iterator[TextExample | Dropped]:
    """Every line as an example or as dropped; `row` is the number of the line."""
    for row, line in enumerate(_lines(text), 1):
        yield _example(row, line, form)


def _example(row: int, line: str, form: Format) -> TextExample | Dropped:
    if not line.strip():
        return drop(row, DropCode.empty_row, line)
    fields = _parse(line)
    if fields is None:
        return drop(row, DropCode.bad_json, line)
    if form.text_column not in fields or form.label_column not in fields:
        return drop(row, DropCode.missing_field, line)
    text, label = _scalar(fields[form.text_column]), _scalar(fields[form.label_column])
    if text is None or label is None:
        return drop(row, DropCode.wrong_type, line)
    return text_example(row, text, label, (line,))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n")


def _parse(line: str) -> dict[str, Any] | None:
    fields = _json(line)
    return {visible(name): value for name, value in fields.items()} if isinstance(fields, dict) else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    # Besides broken JSON: nesting deeper than the stack, and integers of more digits than Python converts.
    except (ValueError, RecursionError):
        return None


def _scalar(value: Any) -> str | None:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return json.dumps(value)
    return None
