"""Everything there is to say about a data set, at once."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from services.datasets.dropped import DropCode, Dropped
from services.datasets.examples import Example
from services.datasets.findings import (
    amount,
    characters,
    chat,
    copies,
    entities,
    labels,
    languages,
    leakage,
    lengths,
    losses,
    personal,
)
from services.datasets.findings.amount import Meter
from services.datasets.findings.catalogue import Severity
from services.datasets.findings.corpus import Corpus
from services.datasets.findings.finding import Finding
from services.datasets.notes import Note
from services.datasets.splits import Splits
from services.errors import ServiceError

_SEVERITIES = list(Severity)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, the most severe first and then the most frequent; `meter` says how much is enough.

    `rows_in` is `rows_used` plus the counts of `dropped`.
    """

    rows_in: int
    rows_used: int
    dropped: dict[DropCode, int]
    findings: tuple[Finding, ...]
    meter: Meter

    @property
    def usable(self) -> bool:
        """Can it be trained on as it is?"""
        return all(finding.severity is not Severity.error for finding in self.findings)


def examine(
    examples: Sequence[Example],
    dropped: Sequence[Dropped] = (),
    *,
    notes: Sequence[Note] = (),
    splits: Splits | None = None,
    problem: ServiceError | None = None,
    known_labels: Collection[str] = (),
    max_tokens: int | None = None,
) -> Diagnosis:
    """What is to be said of examples, of the rows that were left out, and of how they are split.

    `problem` is why they cannot be used at all, `known_labels` those of an earlier version, `max_tokens` how
    much of a text is read if not as the presets do.
    """
    # Near copies take the longest of all, and whoever split the examples has found them.
    corpus = Corpus(examples, None if splits is None else splits.near)

    def every() -> Iterator[Finding]:
        if problem is not None:
            yield losses.of_problem(problem)
        yield from losses.of_dropped(dropped)
        yield from losses.of_notes(notes)
        yield from lengths.check(corpus, max_tokens=max_tokens)
        yield from characters.check(corpus)
        yield from languages.check(corpus)
        yield from personal.check(corpus)
        yield from labels.check(corpus, known=known_labels)
        yield from copies.check(corpus)
        yield from entities.check(corpus)
        yield from chat.check(corpus)
        if splits is not None:
            yield from leakage.check(corpus, splits)
        yield from amount.check(corpus)

    ranked = sorted(every(), key=lambda finding: (_SEVERITIES.index(finding.severity), -finding.count))
    return Diagnosis(
        rows_in=len(examples) + len(dropped),
        rows_used=len(examples),
        dropped=dict(Counter(item.code for item in dropped).most_common()),
        findings=tuple(ranked),
        meter=amount.meter(examples),
    )
