"""What every kind of file comes down to: numbered rows with named fields, or the reason why one has none."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from services.datasets.dropped import DropCode

Fields = Mapping[str, Any]


class Record(NamedTuple):
    """A row's number in the file, its fields, and its cells (or its whole line) as they came.

    `fields` is the reason where the row cannot be read. `original` is None where it is but the fields again.
    """

    row: int
    fields: Fields | DropCode
    original: tuple[str, ...] | None = None

    @property
    def shown(self) -> tuple[str, ...]:
        """What can be given back to the person."""
        if self.original is not None:
            return self.original
        return (json.dumps(self.fields, ensure_ascii=False, default=str),)


def scalar(value: Any) -> str | None:
    """A value as the text of a cell: empty for none, and None for lists and objects."""
    if type(value) is str:
        return value
    match value:
        case None:
            return ""
        case str():
            return str(value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _number(value)
        case list() | dict() | tuple() | bytes():
            return None
    # Dates, times and decimals of Parquet files and workbooks.
    return str(value)


def _number(value: float) -> str:
    if value != value:
        return ""  # tables without a value write NaN
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else json.dumps(value)
