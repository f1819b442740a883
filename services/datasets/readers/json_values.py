"""JSON by the book: what a file may not say is found out value by value, and never guessed at."""

import json
from collections.abc import Mapping
from typing import Any

from services.datasets.dropped import DropCode
from services.datasets.encodings import visible

_MOST_DIGITS = 300


class Decoder:
    """Decodes values one after another; `fault` is what the last of them did wrong."""

    def __init__(self) -> None:
        self.fault: DropCode | None = None
        self._decode = json.JSONDecoder(
            object_pairs_hook=self._object, parse_int=self._integer, parse_constant=self._constant
        ).raw_decode

    def value(self, text: str, start: int = 0) -> tuple[Any, int]:
        """The value that begins at a place, and the place after it.

        Raises:
            ValueError: no value stands there.
            RecursionError: it is nested too deeply.
        """
        self.fault = None
        return self._decode(text, start)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            self.fault = DropCode.repeated_key
        return fields

    def _integer(self, digits: str) -> int:
        if len(digits) > _MOST_DIGITS:
            self.fault = DropCode.bad_number
            return 0
        return int(digits)

    def _constant(self, _: str) -> None:
        self.fault = DropCode.bad_number


def fields_of(value: Any) -> Mapping[str, Any] | DropCode:
    """The fields of a row: those of an object, or of spaCy's pair of a text and what was found in it."""
    match value:
        case dict():
            return value if all(map(str.isprintable, value)) else {visible(key): value[key] for key in value}
        case [str() as text, dict() as found]:
            return {"text": text, **found}
    return DropCode.bad_json
