"""All that an invoice stands on, in one file that anybody can check: its figures, its events and their seals.

A zip archive. `invoice.json` has the invoice, what was taken back of it since, and the terms that its charges
follow from; `seals.jsonl` the header of every block of the ledger up to the invoice, and for each block with
events of the invoice's period, or of months that it corrects, `blocks/<number>.jsonl` has the events, a line
each, exactly as they were hashed, and `blocks/<number>.leaves` the hash of each, 32 bytes one after another.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from services.billing.notes import Note
from services.billing.snapshot import Snapshot
from services.errors import Invalid
from services.ledger.block import Header
from services.metering.cloudevents import canonical
from services.proof.terms import Terms

FORMAT = "tuneport invoice bundle 3"
_LEAF = 32
# The same bundle is the same bytes, whenever it is made.
_WHEN = (1980, 1, 1, 0, 0, 0)
_README = Path(__file__).with_name("bundle.md")


class NotABundle(Invalid):
    """The file is no bundle of an invoice."""

    code = "not_a_bundle"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"This file is no bundle of an invoice: {why}. Download it again from the invoice's page."
        )
        self.why = why


@dataclass(frozen=True, slots=True)
class Block:
    """A block's records as they are now, and the hashes with which they were sealed."""

    header: Header
    records: list[bytes]
    leaves: list[bytes]


def write(
    file: IO[bytes],
    snapshot: Snapshot,
    tenant_id: str,
    headers: Iterable[Header],
    blocks: Iterable[Block],
    *,
    notes: Iterable[Note] = (),
    terms: Terms,
) -> None:
    """Write a bundle; blocks are taken one by one, so that a year of events fits."""
    with zipfile.ZipFile(file, "w") as archive:
        _put(archive, "README.md", _README.read_bytes())
        told: dict[str, Any] = {"format": FORMAT, "tenant": tenant_id, "invoice": snapshot.to_json()}
        told["credit_notes"] = [note.to_json() for note in notes]
        told["terms"] = terms.to_json()
        _put(archive, "invoice.json", canonical(told))
        _put(archive, "seals.jsonl", b"".join(canonical(header.to_json()) + b"\n" for header in headers))
        for block in blocks:
            name = f"blocks/{block.header.number:06d}"
            _put(archive, f"{name}.jsonl", b"".join(record + b"\n" for record in block.records))
            _put(archive, f"{name}.leaves", b"".join(block.leaves), stored=True)


def _put(archive: zipfile.ZipFile, name: str, content: bytes, *, stored: bool = False) -> None:
    entry = zipfile.ZipInfo(name, _WHEN)
    entry.external_attr = 0o644 << 16
    # Hashes do not shrink.
    entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    archive.writestr(entry, content, compresslevel=3)


class Bundle:
    """A bundle that is open for reading."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        try:
            told: dict[str, Any] = json.loads(archive.read("invoice.json"))
            if told["format"] != FORMAT:
                raise NotABundle(f"its format is {told['format']}")
            self.tenant_id = str(told["tenant"])
            self.snapshot = Snapshot.from_json(told["invoice"])
            self.terms = Terms.read(told["terms"])
            self.notes = [Note.from_json(note) for note in told["credit_notes"]]
            self.headers = [Header(**json.loads(row)) for row in archive.read("seals.jsonl").splitlines()]
        except (KeyError, TypeError, ValueError) as error:
            raise NotABundle(type(error).__name__) from error

    def blocks(self) -> Iterator[Block]:
        """The blocks that it has, in their order; one whose hashes or events are missing has none of them."""
        names = set(self._archive.namelist())
        for header in self.headers:
            name = f"blocks/{header.number:06d}"
            if f"{name}.jsonl" in names or f"{name}.leaves" in names:
                records = self._read(f"{name}.jsonl", names).splitlines()
                leaves = self._read(f"{name}.leaves", names)
                parts = [leaves[at : at + _LEAF] for at in range(0, len(leaves), _LEAF)]
                yield Block(header, records, parts)

    def _read(self, name: str, names: set[str]) -> bytes:
        return self._archive.read(name) if name in names else b""


@contextmanager
def opened(file: Path | IO[bytes]) -> Iterator[Bundle]:
    """Open a bundle.

    Raises:
        NotABundle: the file is none.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile) as error:
        raise NotABundle("it is no zip archive") from error
    with archive:
        yield Bundle(archive)
