"""Entity tags: IOB1, IOB2, BIOES and BILOU, brought to IOB2."""

import re
from collections.abc import Sequence

OUTSIDE = "O"
_TAG = re.compile(r"([BIELSU])-(\S.*)")
_ALWAYS_FIRST = frozenset("BSU")
_ALWAYS_LAST = frozenset("ELSU")


def is_tag(tag: str) -> bool:
    """Is this O, or a type after one of the known prefixes?"""
    return tag == OUTSIDE or _TAG.fullmatch(tag) is not None


def to_iob2(tags: Sequence[str]) -> tuple[str, ...]:
    """The same entities in IOB2: B- on the first token of each, I- on its others.

    An entity begins at B, S or U; and at I, E or L where nothing of its type is open, which is how IOB1
    begins one and how conlleval reads all of them.
    """
    result: list[str] = []
    open_type = ""
    for tag in tags:
        match = _TAG.fullmatch(tag)
        if match is None:
            result.append(OUTSIDE)
            open_type = ""
            continue
        prefix, entity = match.groups()
        first = prefix in _ALWAYS_FIRST or entity != open_type
        result.append(f"{'B' if first else 'I'}-{entity}")
        open_type = "" if prefix in _ALWAYS_LAST else entity
    return tuple(result)
