"""Checks of seals: do the blocks follow from one another, and are their records what was sealed?"""

import json
from collections.abc import Iterable, Sequence

from services.ledger.block import GENESIS, Head, Header
from services.ledger.merkle import leaf, root
from services.metering.cloudevents import source_of
from services.proof.fault import Fault, Wrong


def of_headers(headers: Iterable[Header], tenant_id: str, head: Head) -> Fault | None:
    """The first block that is not the workspace's, or does not follow; or an end other than `head`."""
    reached = Head()
    for header in headers:
        place = f"block {header.number}"
        if header.tenant != tenant_id:
            return Fault(Wrong.foreign, place, f"it is a block of {header.tenant}, not of {tenant_id}")
        if header.number != reached.blocks + 1:
            return Fault(Wrong.unchained, place, f"block {reached.blocks + 1} should stand here")
        if header.previous != reached.hash:
            return Fault(Wrong.unchained, place, "it does not follow from the block before it")
        if header.events != reached.events + header.count:
            return Fault(Wrong.unchained, place, "it miscounts the events up to its end")
        reached = Head(blocks=header.number, events=header.events, hash=header.hash)
    if reached.blocks < head.blocks:
        return Fault(
            Wrong.cut_off,
            f"block {reached.blocks + 1}",
            f"the ledger ends before it, and had {head.blocks} blocks",
        )
    if reached != head:
        place = f"block {reached.blocks}" if reached.hash != GENESIS else "the ledger"
        return Fault(Wrong.unchained, place, "the ledger does not end as the invoice says")
    return None


def of_records(header: Header, records: Sequence[bytes], leaves: Sequence[bytes]) -> Fault | None:
    """The first record of a block that is not what was sealed in its place."""
    if len(leaves) != header.count or root(leaves).hex() != header.root:
        return Fault(Wrong.unchained, f"block {header.number}", "its hashes do not come to its seal")
    found = [leaf(record) for record in records]
    if found == list(leaves):
        return _of_others(header, records)
    at = next(
        (at for at, (one, other) in enumerate(zip(found, leaves, strict=False)) if one != other),
        min(len(found), len(leaves)),
    )
    place = f"record {at + 1} of block {header.number}"
    if at == len(found):
        return Fault(Wrong.cut_off, place, f"it and what follows are missing, {len(leaves) - at} in all")
    name = f"{place} ({_name(records[at])})"
    if at == len(leaves):
        return Fault(Wrong.inserted, name, "it was never sealed")
    sealed_here, stands_here = leaves[at] in found, found[at] in leaves
    if sealed_here and stands_here:
        return Fault(Wrong.reordered, name, "it was sealed in another place")
    if stands_here:
        return Fault(Wrong.missing, place, "the record that was sealed here is missing")
    if sealed_here:
        return Fault(Wrong.inserted, name, "it was never sealed")
    return _of_others(header, records[at : at + 1], first=at) or Fault(
        Wrong.edited, name, "it is not what was sealed"
    )


def _of_others(header: Header, records: Sequence[bytes], *, first: int = 0) -> Fault | None:
    ours = json.dumps(source_of(header.tenant)).encode()
    for at, record in enumerate(records, start=first + 1):
        # Members stand in the order of their names, so this finds the source and nothing else.
        if b'"source":' + ours + b',"specversion"' not in record:
            place = f"record {at} of block {header.number} ({_name(record)})"
            return Fault(Wrong.foreign, place, f"it is no event of {header.tenant}")
    return None


def _name(record: bytes) -> str:
    try:
        return str(json.loads(record)["id"])
    except (ValueError, KeyError, TypeError):
        return "unreadable"
