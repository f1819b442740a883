"""Checks of credit notes: do their parts add up, and do they take back no more than was invoiced?"""

from collections.abc import Iterator, Sequence

from services.billing.invoicing import TaxGroup
from services.billing.money import MINOR_DIGITS, Money, total
from services.billing.notes import Note
from services.billing.snapshot import Snapshot
from services.proof.fault import Fault, Wrong


def of_notes(notes: Sequence[Note], issued: Snapshot) -> Iterator[Fault]:
    """What is wrong with the credit notes on the invoice that was `issued`, the first first."""
    seen: set[str] = set()
    taken_back: dict[tuple[str, str], Money] = {}
    billed = {_rate(group): group for group in issued.draft.tax_groups}
    for note in notes:
        place = f"credit note {note.number}"
        if note.number in seen:
            yield Fault(Wrong.inserted, place, "it stands here twice")
        seen.add(note.number)
        if note.invoice != issued.number or note.currency != issued.draft.currency:
            yield Fault(Wrong.foreign, place, f"it is one on {note.invoice}, not on {issued.number}")
            continue
        yield from _of_sums(note, place)
        for group in note.tax_groups:
            known, rate = billed.get(_rate(group)), _rate(group)
            if known is None:
                yield Fault(Wrong.sum, place, f"nothing was taxed at {group.percent} %")
                continue
            if not _within(group, known):
                yield Fault(Wrong.sum, place, f"its tax at {group.percent} % is {group.tax}")
            taken_back[rate] = taken_back.get(rate, Money.zero(note.currency)) + group.net
            if taken_back[rate] > known.net:
                sentence = f"with it {taken_back[rate]} of {known.net} are taken back at {group.percent} %"
                yield Fault(Wrong.sum, place, sentence)


def _of_sums(note: Note, place: str) -> Iterator[Fault]:
    told = {
        "amount before tax": (note.net, total((group.net for group in note.tax_groups), note.currency)),
        "tax": (note.tax, total((group.tax for group in note.tax_groups), note.currency)),
        "total": (note.total, note.net + note.tax),
    }
    for what, (said, found) in told.items():
        if said != found:
            yield Fault(Wrong.sum, place, f"its {what} is {said}, and comes to {found}")


def _within(group: TaxGroup, billed: TaxGroup) -> bool:
    """Is the tax that of the invoice's rate, but for the coin that parts may be rounded by?"""
    coin: int = 10 ** (6 - MINOR_DIGITS[group.net.currency])
    whole = billed.net.micros or 1
    return abs(group.tax.micros * whole - billed.tax.micros * group.net.micros) <= coin * abs(whole)


def _rate(group: TaxGroup) -> tuple[str, str]:
    return group.category, f"{group.percent.normalize():f}"
