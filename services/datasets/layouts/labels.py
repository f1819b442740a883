"""Several labels in one value: a list, a list written as text, or names with a separator between them."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from services.datasets.formats import Separator
from services.datasets.records import scalar

SEPARATORS: tuple[Separator, ...] = (",", "|", ";")
# Of the cells, so many must list several labels before a separator is believed in.
_SEVERAL_SHARE = 0.02
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
# A list as Python or NumPy print it: quoted items or bare ones, with commas between them or blanks.
_ITEM = re.compile(r"""\s*,?\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s,'"][^,'"]*))""")
_NONE = frozenset({"", "none", "null", "nan"})


def written_list(cell: str) -> list[str] | None:
    """The items of a list that is written into a cell; None where none is."""
    cell = cell.strip()
    if not cell or _BRACKETS.get(cell[0]) != cell[-1:]:
        return None
    try:
        items = json.loads(cell)
    except (ValueError, RecursionError):
        return _printed_list(cell[1:-1])
    return _strings(items) if isinstance(items, list) else None


def items_of(value: Any, separator: Separator | None) -> list[str] | None:
    """The labels of one value, as they stand there; None where it is no list of labels."""
    if isinstance(value, list | tuple):
        return _strings(value)
    if isinstance(value, dict):
        return _of_scores(value)
    text = scalar(value)
    if text is None:
        return None
    items = written_list(text)
    if items is not None:
        return items
    if text.strip().lower() in _NONE:
        return []
    return text.split(separator) if separator else [text]


def separator_of(cells: Iterable[str]) -> Separator | None:
    """What divides labels in these cells: its parts come again in other company, unlike those of a name."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return next((mark for mark in SEPARATORS if _divides(filled, mark)), None)


def _divides(cells: list[str], mark: str) -> bool:
    company: dict[str, set[str]] = defaultdict(set)
    divided = [(cell, [part.strip() for part in cell.split(mark)]) for cell in cells]
    for cell, parts in divided:
        for part in parts:
            company[part].add(cell)
    several = [parts for _, parts in divided if len(parts) > 1]
    if len(several) <= _SEVERAL_SHARE * len(cells):
        return False
    known = sum(all(part and len(company[part]) > 1 for part in parts) for parts in several)
    return known * 2 > len(several)


def _of_scores(scores: dict[str, Any]) -> list[str] | None:
    """The labels that are more likely than not, of spaCy's `cats`."""
    if not all(isinstance(score, int | float) for score in scores.values()):
        return None
    return [label for label, score in scores.items() if score >= 0.5]


def _printed_list(inside: str) -> list[str] | None:
    items: list[str] = []
    at, inside = 0, inside.rstrip(" ,")
    while at < len(inside):
        found = _ITEM.match(inside, at)
        if found is None:
            return None
        items.append(next(group for group in found.groups() if group is not None))
        at = found.end()
    return items


def _strings(items: Iterable[Any]) -> list[str] | None:
    texts = [scalar(item) for item in items]
    return None if None in texts else [text for text in texts if text is not None]
