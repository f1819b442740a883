"""Cells that no spreadsheet takes for a formula, and back. Source: OWASP, CSV Injection."""

import re

# Full-width signs count too: spreadsheets with an Asian keyboard layout read them alike.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def inert(cell: str) -> str:
    """The cell with an apostrophe in front of what could be a formula; plain numbers stay numbers."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def original(cell: str) -> str:
    """The cell that `inert` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
