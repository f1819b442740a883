"""Near copies: texts that share four fifths of their trigrams, found without comparing each with each.

MinHash signatures in bands (Broder 1997; Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, chapter 3)
propose pairs, and the exact Jaccard similarity decides. Work and memory grow with the characters, whatever
they say: texts that are the same are looked at once, and in a crowded bucket only neighbours are compared.
"""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.datasets.shingles import plain, shingled

# Jaccard similarity of two near copies, at least.
THRESHOLD = 0.8
# No preset reads further, so what comes behind tells nothing apart, and a book is as quick as a letter.
COMPARED_CHARACTERS = 4_000
# In shorter texts one letter changes the meaning, and only the same words are a copy.
MIN_CHARACTERS = 20
# A pair at the threshold meets in at least one band with 99.8 %, one of similarity 0.4 with 15 %.
BANDS, BAND_ROWS = 16, 5
# Neighbours in a bucket that a text is compared with.
_NEIGHBOURS = 3
# Trigrams worked on at a time: of signatures, so that a block stays in the processor's cache, and of pairs.
_SIGNED_AT_ONCE, _COMPARED_AT_ONCE = 200_000, 10_000_000

_random = Random(0)
# Band by band, what gives all hashes another order: bits to flip, and an odd number to multiply by.
_PERMUTATIONS = [
    [(np.uint32(_random.getrandbits(32)), np.uint32(_random.getrandbits(32) | 1)) for _ in range(BAND_ROWS)]
    for _ in range(BANDS)
]
_SPREAD = np.uint64(0x9E3779B97F4A7C15)

Positions = NDArray[np.int64]


def clusters(texts: Sequence[str]) -> Positions:
    """For each text the position of the first of its cluster: itself, where no earlier one is like it.

    Texts whose beginnings are the same but for case, punctuation and white space are of one cluster, and so
    are near copies and whatever a chain of them connects. The same texts always give the same clusters.
    """
    words = plain([text[:COMPARED_CHARACTERS] for text in texts])
    first = copies(words)
    once = np.flatnonzero(first == np.arange(len(words)))
    long = np.array([at for at in once.tolist() if len(words[at]) >= MIN_CHARACTERS], np.int64)
    if len(long) < 2:
        return first
    sets = shingled([words[at] for at in long])
    first[long] = long[_similar(sets)]
    return first[first]


def copies(texts: Sequence[str]) -> Positions:
    """For each text the position of the first that is the same."""
    seen: dict[str, int] = {}
    return np.fromiter((seen.setdefault(text, at) for at, text in enumerate(texts)), np.int64, len(texts))


def joined(roots: Positions, left: Positions, right: Positions) -> Positions:
    """The clusters after connecting each position on the left with the one beside it on the right."""
    roots = roots.copy()
    while True:
        one, other = roots[left], roots[right]
        apart = one != other
        if not apart.any():
            return roots
        low, high = np.minimum(one, other)[apart], np.maximum(one, other)[apart]
        np.minimum.at(roots, high, low)
        while not np.array_equal(above := roots[roots], roots):
            roots = above


def _similar(sets: csr_array) -> Positions:
    """For each set the first one of its cluster."""
    roots = order = np.arange(sets.shape[0])
    for keys in _bands(sets):
        # What also met in the band before stays together, so that neighbours in a crowded bucket are alike.
        order = order[np.argsort(keys[order], kind="stable")]
        bucket = keys[order]
        for distance in range(1, _NEIGHBOURS + 1):
            met = np.flatnonzero(bucket[distance:] == bucket[:-distance])
            left, right = order[met], order[met + distance]
            apart = roots[left] != roots[right]
            left, right = left[apart], right[apart]
            near = _near(sets, left, right)
            roots = joined(roots, left[near], right[near])
    return roots


def _near(sets: csr_array, left: Positions, right: Positions) -> NDArray[np.bool_]:
    """Is the exact Jaccard similarity of each pair at the threshold or above?"""
    sizes = np.diff(sets.indptr)
    near = np.zeros(len(left), np.bool_)
    smaller, larger = np.minimum(sizes[left], sizes[right]), np.maximum(sizes[left], sizes[right])
    possible = np.flatnonzero(smaller >= THRESHOLD * larger)
    read = np.cumsum(np.append(0, (smaller + larger)[possible]))
    for first, last in _stretches(read, _COMPARED_AT_ONCE):
        some = possible[first:last]
        shared = np.diff(sets[left[some]].multiply(sets[right[some]]).indptr)
        near[some] = shared >= THRESHOLD * (smaller[some] + larger[some] - shared)
    return near


def _bands(sets: csr_array) -> NDArray[np.uint64]:
    """(bands, sets): what a set must have in common with another to meet it in a band."""
    keys = np.zeros((BANDS, sets.shape[0]), np.uint64)
    members = sets.indices.view(np.uint32)
    for first, last in _stretches(sets.indptr, _SIGNED_AT_ONCE):
        starts = sets.indptr[first:last]
        some = members[starts[0] : sets.indptr[last]]
        mixed = np.empty_like(some)
        for band, permutations in enumerate(_PERMUTATIONS):
            for mask, factor in permutations:
                np.multiply(np.bitwise_xor(some, mask, out=mixed), factor, out=mixed)
                least = np.minimum.reduceat(mixed, starts - starts[0])
                keys[band, first:last] = keys[band, first:last] * _SPREAD + least
    return keys


def _stretches(starts: Positions, most: int) -> list[tuple[int, int]]:
    """Stretches of items, from and to, of about `most` members together; `starts` ends with their sum."""
    marks = np.arange(0, starts[-1], most)
    bounds = np.unique(np.append(np.searchsorted(starts[:-1], marks), len(starts) - 1))
    return list(pairwise(bounds.tolist()))
