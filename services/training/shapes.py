"""How words are written: capitals, digits and signs, of which many base models see nothing. Pure; no torch.

A word's shape has one letter for each of its signs, `Xxx` of “Berlin” and `99` of “2010”. Shapes are counted
in buckets, by a checksum that is the same everywhere, so that no table of them has to be kept.
"""

import re
from collections.abc import Sequence
from zlib import crc32

# On WNUT-17 64 buckets were half a point of F1 worse, 512 no better.
BUCKETS = 256
# The bucket of what is no word.
NOTHING = 0
# A word is counted alone, with the ones beside it, and these alone.
EACH = 6
# What stands where is no word.
NO_WORD = [NOTHING] * EACH
_KEPT = 4
_LETTER, _DIGIT, _RUN = re.compile(r"[^\W\d_]"), re.compile(r"\d"), re.compile(r"(.)\1+")


def of_words(words: Sequence[str]) -> list[list[int]]:
    """Of each word of a sentence the buckets, from 1 on, that count for it."""
    shapes = ["", *map(_shape, words), ""]
    return [
        [1 + crc32(one.encode()) % BUCKETS for one in _counted(*three)]
        for three in zip(shapes, shapes[1:], shapes[2:], strict=False)
    ]


def _counted(before: str, own: str, after: str) -> tuple[str, ...]:
    return (
        f"0{own}",
        f"1{before} {own}",
        f"2{own} {after}",
        f"3{before} {own} {after}",
        f"4{before}",
        f"5{after}",
    )


def _shape(word: str) -> str:
    """The first signs, a run of alike ones as two."""
    signs = _LETTER.sub(lambda letter: "X" if letter[0].isupper() else "x", _DIGIT.sub("9", word))
    return _RUN.sub(r"\1\1", signs)[:_KEPT]
