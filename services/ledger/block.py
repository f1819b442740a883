"""A seal: what stands for a stretch of a workspace's events, and follows from the one before."""

from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

from services.metering.cloudevents import canonical

# What the first block follows.
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What is hashed of a block. Blocks are numbered from 1; hashes are hexadecimal."""

    tenant: str
    number: int
    # Events in this block, and in it and all before it.
    count: int
    events: int
    root: str
    previous: str

    @property
    def hash(self) -> str:
        """What the next block names as the one before it."""
        return sha256(canonical(self.to_json())).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Its fields as JSON has them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a workspace's ledger at some instant: printed on an invoice, it anchors all before it."""

    blocks: int = 0
    events: int = 0
    hash: str = GENESIS
