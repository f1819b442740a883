"""How high a table stands."""

from typing import Literal

_ROW_PIXELS = 35


def up_to(shown: int, rows: int) -> int | Literal["content"]:
    """As high as its rows, and no higher than `shown` of them: the rest is scrolled to."""
    return "content" if rows <= shown else _ROW_PIXELS * (shown + 1)
