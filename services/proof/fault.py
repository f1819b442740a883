"""What a check found to be wrong, and where."""

from dataclasses import dataclass
from enum import StrEnum


class Wrong(StrEnum):
    """The ways in which a ledger or an invoice can fail its check."""

    edited = "edited"  # a record is not what was sealed
    missing = "missing"  # a record was taken out
    inserted = "inserted"  # a record was put in
    reordered = "reordered"  # records stand in another order
    cut_off = "cut off"  # the end is missing
    foreign = "foreign"  # a record or block of another workspace
    unchained = "unchained"  # a block does not follow from the one before, or its hashes are not its own
    line = "line"  # a line is not what its events and its price come to
    sum = "sum"  # a figure is not the sum of what is above it
    unreadable = "unreadable"  # the file is no bundle


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: its kind, its place, and the sentence for a person."""

    wrong: Wrong
    place: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"
