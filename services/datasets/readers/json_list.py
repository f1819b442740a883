"""A JSON file: one list with an object for each row, or an object that holds one such list."""

import json
import re
from collections.abc import Iterator

from services.datasets.dropped import DropCode
from services.datasets.errors import BrokenJson, UnsupportedFormat
from services.datasets.readers.json_values import Decoder, fields_of
from services.datasets.records import Record

_SPACE = re.compile(r"[ \t\r\n]*")
_BEGINNING = re.compile(r"\s*(?:\[\s*[\[{]|\{\s*\")")
_ADVICE = "Write a list with one object for each row, or one object per line."
_NESTED_TOO_DEEPLY = "JSON that is nested too deeply"


def is_json(text: str) -> bool:
    """Does the file begin like a list of objects or of lists, or like an object?"""
    return _BEGINNING.match(text) is not None


def read(text: str) -> Iterator[Record]:
    """Every element of the list; `row` is its number.

    Raises:
        BrokenJson: the file breaks the rules of JSON.
        UnsupportedFormat: there is no list of rows in it, or several.
    """
    decoder = Decoder()
    at = _after_space(text, _start_of_list(text, decoder) + 1)
    row = 0
    while not text.startswith("]", at):
        row += 1
        start = at
        value, at = _value(text, at, decoder)
        fields = decoder.fault or fields_of(value)
        original = (text[start:at],) if isinstance(fields, DropCode) else None
        yield Record(row, fields, original)
        at = _after_comma(text, at, "]")
    if not _of_object(text) and _after_space(text, at + 1) < len(text):
        raise _broken(text, at + 1)


def _start_of_list(text: str, decoder: Decoder) -> int:
    """Where the list of rows begins: at once, or as the one value of the outer object that can be it."""
    if not _of_object(text):
        start = _after_space(text, 0)
        if not text.startswith("[", start):
            raise _broken(text, start)
        return start
    found: list[int] = []
    at = _after_space(text, _after_space(text, 0) + 1)
    while not text.startswith("}", at):
        name, at = _value(text, at, decoder)
        at = _after_space(text, at)
        if not isinstance(name, str) or not text.startswith(":", at):
            raise _broken(text, at)
        start = _after_space(text, at + 1)
        value, at = _value(text, start, decoder)
        if isinstance(value, list) and any(isinstance(element, dict | list) for element in value):
            found.append(start)
        at = _after_comma(text, at, "}")
    if _after_space(text, at + 1) < len(text):
        raise _broken(text, at + 1)
    if len(found) != 1:
        what = "JSON with several lists of rows" if found else "JSON without a list of rows"
        raise UnsupportedFormat(what, _ADVICE)
    return found[0]


def _of_object(text: str) -> bool:
    return text.startswith("{", _after_space(text, 0))


def _value(text: str, at: int, decoder: Decoder) -> tuple[object, int]:
    try:
        return decoder.value(text, at)
    except json.JSONDecodeError as error:
        raise _broken(text, error.pos) from error
    except RecursionError as error:
        raise UnsupportedFormat(_NESTED_TOO_DEEPLY, _ADVICE) from error


def _after_comma(text: str, at: int, closing: str) -> int:
    """The place of the next value, or of the closing bracket."""
    at = _after_space(text, at)
    if text.startswith(closing, at):
        return at
    if not text.startswith(",", at):
        raise _broken(text, at)
    return _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _broken(text: str, at: int) -> BrokenJson:
    return BrokenJson(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
