"""Merkle trees of SHA-256, as RFC 6962 (Certificate Transparency), section 2.1, defines them."""

from collections.abc import Sequence
from hashlib import sha256

_LEAF, _NODE = b"\x00", b"\x01"


def leaf(record: bytes) -> bytes:
    """The hash of one record."""
    return sha256(_LEAF + record).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The one hash that stands for the leaves, in their order.

    Level by level from the leaves, an odd one out moving up as it is: the same tree as RFC 6962's, which
    splits at the largest power of two from the top.
    """
    if not leaves:
        return sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        pairs = [sha256(_NODE + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = [*pairs, level[-1]] if len(level) % 2 else pairs
    return level[0]
