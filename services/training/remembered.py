"""What a frozen base model made of rows, kept in a file for the next run that reads them.

A row is known again by its sub-word ids, in whichever split, order or version it stands. The file is written
whole or not at all, and is not believed where its sum differs.
"""

import hashlib
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

# Of a file; the rows that were read longest ago go first.
MOST_BYTES = 128 * 2**20
_DIGEST_BYTES = 16

Ids = Sequence[int]
Compute = Callable[[list[Ids]], Tensor]


class Damaged(ValueError):
    """The file is not what was written."""


class Remembered:
    """The vectors of one base model, read in one way: `how` names pooling, device and precision."""

    def __init__(self, file: Path, how: str) -> None:
        self._file, self._how = file, how
        # (rows), from the one read last to the one read longest ago.
        self._vectors: dict[bytes, Tensor] = {}

    def load(self) -> None:
        """Take up what an earlier run has left, if it was read in the same way.

        Raises:
            Damaged: it cannot be believed; there is nothing then.
        """
        if not self._file.exists():
            return
        try:
            with safe_open(self._file, framework="pt") as opened:
                told = opened.metadata() or {}
                digests, vectors = opened.get_tensor("digests"), opened.get_tensor("vectors")
        except (SafetensorError, OSError, ValueError) as error:
            raise Damaged from error
        if told.get("sum") != _sum(digests, vectors):
            raise Damaged
        if told.get("how") == self._how:
            names = (digest.tobytes() for digest in digests.numpy())
            self._vectors = dict(zip(names, vectors, strict=True))

    def known(self, rows: Sequence[Ids]) -> int:
        """How many of these rows need not be read."""
        return sum(_digest(row) in self._vectors for row in rows)

    def read(self, rows: Sequence[Ids], compute: Compute) -> Tensor:
        """(rows, hidden); only what is unknown is computed, each row once, and kept."""
        names = [_digest(row) for row in rows]
        new = {name: row for name, row in zip(names, rows, strict=True) if name not in self._vectors}
        every = dict(self._vectors)
        if new:
            every |= zip(new, compute(list(new.values())), strict=True)
        self._vectors = {name: every[name] for name in names} | every
        return torch.stack([every[name] for name in names])

    def save(self) -> None:
        """Leave it for the next run."""
        if not self._vectors:
            return
        size = next(iter(self._vectors.values())).nbytes + _DIGEST_BYTES
        kept = list(self._vectors.items())[: MOST_BYTES // size]
        digests = torch.tensor([list(name) for name, _ in kept], dtype=torch.uint8)
        vectors = torch.stack([vector for _, vector in kept])
        arriving = self._file.with_suffix(".part")
        save_file(
            {"digests": digests, "vectors": vectors},
            arriving,
            {"how": self._how, "sum": _sum(digests, vectors)},
        )
        arriving.replace(self._file)


def _digest(row: Ids) -> bytes:
    return hashlib.sha256(array("I", row).tobytes()).digest()[:_DIGEST_BYTES]


def _sum(digests: Tensor, vectors: Tensor) -> str:
    found = hashlib.sha256(digests.numpy().tobytes())
    found.update(vectors.numpy().tobytes())
    return found.hexdigest()
