"""Check an invoice against everything that it stands on, offline: seals first, then lines, then sums."""

from dataclasses import dataclass, field

from services.billing.money import Money
from services.proof import chain, charges, figures, notes, reductions
from services.proof.bundle import Bundle
from services.proof.fault import Fault, Wrong

# Beyond these nobody reads on.
MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked, and what is wrong with it, the first first."""

    number: str
    payable: Money
    head: str
    blocks: int
    events: int
    lines: int
    # Events of the period that cost nothing, because the plan includes their meter.
    included: int
    # Numbers of the credit notes on it.
    credit_notes: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Is everything as it should be?"""
        return not self.faults


def verify(bundle: Bundle, *, head: str | None = None) -> Verdict:
    """Check a bundle; `head` is the hash printed on the invoice, for whoever has it on paper."""
    snapshot = bundle.snapshot
    faults: list[Fault] = []
    recount, late = figures.Recount(snapshot), charges.LateUse(bundle.terms)
    blocks = events = 0
    if snapshot.ledger is None:
        faults.append(Fault(Wrong.unchained, "the invoice", "it does not say where the ledger ended"))
    elif fault := chain.of_headers(bundle.headers, bundle.tenant_id, snapshot.ledger):
        faults.append(fault)
    if head is not None and snapshot.ledger is not None and snapshot.ledger.hash != head.strip().lower():
        faults.append(Fault(Wrong.unchained, "the invoice", "its head is not the one that you were given"))

    seen: set[str] = set()
    for block in bundle.blocks():
        if fault := chain.of_records(block.header, block.records, block.leaves):
            faults.append(fault)
        for record in block.records:
            try:
                event = figures.read_event(record)
                fault = recount.add(event)
                late.add(event, recount.day(event["time"]))
            except (ValueError, KeyError, TypeError, ArithmeticError):
                fault = Fault(
                    Wrong.edited, f"block {block.header.number}", "one of its records cannot be read"
                )
            else:
                if event["id"] in seen:
                    fault = Fault(Wrong.inserted, str(event["id"]), "the event stands in the ledger twice")
                seen.add(event["id"])
            if fault is not None and len(faults) < MOST_FAULTS:
                faults.append(fault)
        blocks, events = blocks + 1, events + len(block.records)
    faults += recount.faults()
    faults += figures.of_sums(snapshot.draft)
    faults += charges.of_charges(snapshot, bundle.terms, late)
    faults += reductions.of_reductions(snapshot, bundle.terms)
    faults += notes.of_notes(bundle.notes, snapshot)
    return Verdict(
        number=snapshot.number or "",
        payable=snapshot.draft.payable,
        head=snapshot.ledger.hash if snapshot.ledger else "",
        blocks=blocks,
        events=events,
        lines=len(snapshot.draft.lines),
        included=recount.included,
        credit_notes=[note.number for note in bundle.notes],
        faults=faults[:MOST_FAULTS],
    )
