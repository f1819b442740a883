"""The examples of a data set, with what several checks need of them."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby, islice
from operator import itemgetter

from services.datasets.blocks import blocks
from services.datasets.examples import Example
from services.datasets.findings.catalogue import ADVICE, Code
from services.datasets.findings.finding import EXCERPTS, Finding, excerpt, row_numbers
from services.datasets.near import Positions, clusters, copies

# Position of an example, and from where to where in its text.
Spot = tuple[int, int, int]


@dataclass(frozen=True)
class Corpus:
    """Examples by position; what takes long to work out is worked out once, when it is first asked for."""

    examples: Sequence[Example]
    near: Positions | None = None

    @cached_property
    def texts(self) -> list[str]:
        """What is read of each example."""
        return [example.text for example in self.examples]

    @cached_property
    def copies(self) -> Positions:
        """For each example the position of the first one with the same text."""
        return copies(self.texts)

    @cached_property
    def clusters(self) -> Positions:
        """For each example the position of the first one of its near copies."""
        return clusters(self.texts) if self.near is None else self.near

    def spots(self, pattern: re.Pattern[str], among: Sequence[int] | None = None) -> Iterator[Spot]:
        """Every match of a pattern that does not match NUL, in all texts or in those at some positions."""
        places = range(len(self.texts)) if among is None else among
        done = 0
        for block in blocks(self.texts[at] for at in places):
            # One search through many texts at once: a call for each would take longer than the searching.
            joined = "\0".join(block)
            starts: list[int] = []
            for match in pattern.finditer(joined):
                starts = starts or list(accumulate((len(text) + 1 for text in block), initial=0))
                place = bisect_right(starts, match.start()) - 1
                yield places[done + place], match.start() - starts[place], match.end() - starts[place]
            done += len(block)

    def finding(
        self,
        code: Code,
        positions: Sequence[int],
        *,
        spots: Iterable[Spot] = (),
        detail: str = "",
        labels: tuple[tuple[str, ...], ...] = (),
    ) -> Iterator[Finding]:
        """A finding about the examples at some positions, or none where there are none.

        Excerpts show the first spots, or the beginnings of the first texts.
        """
        rows = row_numbers(self.examples[at].row for at in positions)
        if rows:
            shown = list(islice(spots, EXCERPTS)) or [(at, 0, 0) for at in islice(positions, EXCERPTS)]
            yield self._told(code, len(rows), rows, shown, detail, labels)

    def finding_of_all(self, code: Code, detail: str) -> Finding:
        """A finding that is true of the data set as a whole."""
        return self._told(code, 1, array("I"), [], detail, ())

    def _told(
        self,
        code: Code,
        count: int,
        rows: "array[int]",
        spots: Sequence[Spot],
        detail: str,
        labels: tuple[tuple[str, ...], ...],
    ) -> Finding:
        advice = ADVICE[code]
        return Finding(
            code=code,
            severity=advice.severity,
            count=count,
            rows=rows,
            excerpts=tuple(
                excerpt(self.examples[at].row, self.texts[at], start, end) for at, start, end in spots
            ),
            title=advice.title,
            detail=detail,
            why=advice.why,
            what_to_do=advice.what_to_do,
            fix=advice.fix,
            labels=labels,
        )


def first_of_each(spots: Iterable[Spot]) -> list[Spot]:
    """The first spot of each example, of spots that are in the order of the examples."""
    return [next(same) for _, same in groupby(spots, key=itemgetter(0))]
