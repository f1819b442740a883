"""A column of a sample, and what can be said of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from services.datasets.layouts.columns import number
from services.datasets.layouts.labels import items_of, written_list
from services.datasets.records import Fields, scalar

_BINARY = frozenset({"0", "1", "true", "false"})
# Of the cells; the others are the faults of their rows.
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Column:
    """The values of a column in the sample, and the same as text."""

    name: str
    values: list[Any]
    cells: list[str]

    @cached_property
    def filled(self) -> list[str]:
        """The cells with anything in them."""
        return [cell for cell in self.cells if cell]

    @cached_property
    def length(self) -> int:
        """The characters of all cells."""
        return sum(map(len, self.cells))

    @cached_property
    def lists(self) -> list[list[str]]:
        """The lists among the values, also those written as text."""
        found = [
            items_of(value, None) if isinstance(value, list | dict) else written_list(cell)
            for value, cell in zip(self.values, self.cells, strict=True)
        ]
        return [items for items in found if items is not None]

    @cached_property
    def holds_lists(self) -> bool:
        """Are most of its values lists?"""
        filled = sum(value not in (None, "") for value in self.values)
        return filled > 0 and len(self.lists) * 2 > filled

    @cached_property
    def is_binary(self) -> bool:
        """Is it 0 or 1, with hardly an exception?"""
        binary = sum(cell.lower() in _BINARY for cell in self.cells)
        return bool(self.filled) and binary >= _NEARLY_ALL * len(self.cells)

    @cached_property
    def numbers(self) -> list[float]:
        """The numbers among the cells."""
        return [value for cell in self.filled if (value := number(cell)) is not None]

    @cached_property
    def is_numeric(self) -> bool:
        """Are these numbers, with hardly an exception?"""
        return bool(self.filled) and len(self.numbers) >= _NEARLY_ALL * len(self.filled)


def column_of(name: str, rows: Iterable[Fields]) -> Column:
    """A column of these rows."""
    values = [fields.get(name) for fields in rows]
    return Column(name, values, [(scalar(value) or "").strip() for value in values])
