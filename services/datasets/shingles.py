"""Texts as sets of character trigrams, as short integers, for many texts at once."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.datasets.blocks import blocks

# Short enough that one wrong letter in thirty leaves four fifths of a text's trigrams as they are.
SHINGLE = 3
# Trigrams are told apart by so many bits: one pair of different ones in a thousand million looks alike.
_BITS = 30
# Punctuation, Western and Eastern, becomes a space; symbols and emoji say something and stay.
_PUNCTUATION = re.compile("[!-/:-@\\[-`{-~\u00a1-\u00bf\u2010-\u2060\u3001-\u303f]")
_SPACED = np.array([ord(" " if _PUNCTUATION.match(chr(at)) else chr(at)) for at in range(0x3040)], np.uint32)
_MULTIPLIERS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], np.uint32)


def plain(texts: Sequence[str]) -> list[str]:
    """The texts without difference of case, width, punctuation and white space; none may hold a NUL."""
    result: list[str] = []
    for block in blocks(texts):
        folded = unicodedata.normalize("NFKC", "\0".join(block)).casefold()
        words = _spaced(folded).split("\0")
        # What is nothing but punctuation is told apart by it.
        result += [" ".join(text.split()) or whole for text, whole in zip(words, block, strict=True)]
    return result


def _spaced(text: str) -> str:
    """The text with spaces for punctuation; `str.translate` takes ten times as long."""
    characters = _characters(text).copy()
    low = characters < len(_SPACED)
    characters[low] = _SPACED[characters[low]]
    return characters.tobytes().decode("utf-32-le", "surrogatepass")


def _characters(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def shingled(texts: Sequence[str]) -> csr_array:
    """A row for each text with ones in the columns of its trigrams, a space before and after it included."""
    parts = [_shingled(block) for block in blocks(texts)]
    columns = np.concatenate([columns for columns, _ in parts])
    starts = np.cumsum(np.concatenate([[0], *(sizes for _, sizes in parts)]))
    ones = np.ones(len(columns), np.int8)
    return csr_array((ones, columns, starts.astype(np.int32)), shape=(len(texts), 1 << _BITS))


def _shingled(texts: list[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The trigrams of each text, in order and each once, one text after the other; and how many each has."""
    characters = _characters("".join(f" {text} \0" for text in texts))
    windows = [characters[at : len(characters) - SHINGLE + 1 + at] for at in range(SHINGLE)]
    hashes = sum(window * factor for window, factor in zip(windows, _MULTIPLIERS, strict=True))
    hashes ^= hashes >> np.uint32(15)
    hashes *= _MULTIPLIERS[0]
    hashes >>= np.uint32(32 - _BITS)

    inside = np.logical_and.reduce([window != 0 for window in windows])
    rows = np.cumsum(characters == 0, dtype=np.uint64)[: len(hashes)]
    keys = np.sort(rows[inside] << np.uint64(32) | hashes[inside])
    keys = keys[np.append(True, keys[1:] != keys[:-1])]
    sizes = np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=len(texts))
    return keys.astype(np.uint32).astype(np.int32), sizes
