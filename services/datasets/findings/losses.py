"""What reading a file already told: rows left out, things put right, and why the whole cannot be used."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator

from services.datasets.dropped import DropCode, Dropped
from services.datasets.findings.catalogue import Severity
from services.datasets.findings.finding import EXCERPTS, Finding, excerpt, row_numbers
from services.datasets.notes import Note
from services.errors import ServiceError


def of_dropped(dropped: Iterable[Dropped]) -> Iterator[Finding]:
    """A finding for each reason, but for what a fix left out as it was told to."""
    by_code: dict[DropCode, list[Dropped]] = defaultdict(list)
    for item in dropped:
        if item.code is not DropCode.left_out_by_fix:
            by_code[item.code].append(item)
    for code, items in by_code.items():
        yield Finding(
            code=code,
            severity=Severity.warning,
            count=len(items),
            rows=row_numbers(item.row for item in items),
            excerpts=tuple(excerpt(item.row, " | ".join(item.original)) for item in items[:EXCERPTS]),
            title=code.sentence.rstrip("."),
            detail="",
            why="These rows are left out: nothing is learned from them.",
            what_to_do="Correct them in the file and upload it again, or go on without them.",
        )


def of_notes(notes: Iterable[Note]) -> Iterator[Finding]:
    """A finding for each thing that was put right, or guessed, while reading."""
    for note in notes:
        yield Finding(
            code=note.code,
            severity=Severity.note,
            count=note.count,
            rows=row_numbers(note.rows),
            excerpts=(),
            title="Put right while reading",
            detail=note.sentence,
            why="The data set differs from the file in this.",
            what_to_do="Nothing, if it is what you mean; otherwise correct the file.",
        )


def of_problem(problem: ServiceError) -> Finding:
    """Why the data cannot be trained on as it is."""
    return Finding(
        code=problem.code,
        severity=Severity.error,
        count=1,
        rows=array("I"),
        excerpts=(),
        title="Not usable yet",
        detail=problem.message,
        why="No model can be trained, or none could be judged.",
        what_to_do="Correct the file or what is taken for text and label.",
    )
