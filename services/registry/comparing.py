"""Versions on the test rows that all of them were asked, judged by the labels of the first. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.training.reporting import significance
from services.training.reporting.answered import Answered
from services.training.reporting.regression_scores import r2
from services.training.reporting.report import Difference

_TEST = "test"


@dataclass(frozen=True, slots=True)
class SharedRow:
    """A test row, what is right by the first version's data, and what each version answered."""

    row: int
    text: str
    tokens: list[str]
    truth: list[str]
    predicted: tuple[list[str], ...]
    # Where a row has a number: the true one, and each version's.
    scores: tuple[float, ...] = ()

    @property
    def disputed(self) -> bool:
        """Do the versions disagree about it?"""
        return len({frozenset(answers) for answers in self.predicted}) > 1


def shared(versions: Sequence[Sequence[Answered]]) -> list[SharedRow]:
    """The test rows that stand in every version's test split, in the order of the first.

    A row is known by its text, so that labels that were mended since count as they are now. None of these
    rows was learned from by any of the versions.
    """
    first, *others = ({_key(row): row for row in rows if row.split == _TEST} for rows in versions)
    return [
        SharedRow(
            row=row.row,
            text=row.text,
            tokens=row.tokens,
            truth=row.truth,
            predicted=(row.predicted, *(other[key].predicted for other in others)),
            scores=() if row.off_by is None else (*row.scores, *(other[key].scores[1] for other in others)),
        )
        for key, row in first.items()
        if all(key in other for other in others)
    ]


def score(rows: Sequence[SharedRow], place: int) -> float:
    """Accuracy of the version at a place, micro F1 where rows have any number of answers, or R² of scores."""
    if rows and rows[0].scores:
        return r2(_scores(rows, 0), _scores(rows, place + 1))
    return significance.score(_counts(rows, place))


def difference(rows: Sequence[SharedRow], one: int, other: int) -> Difference:
    """How much better one version is than another on these rows, and how surely."""
    if rows and rows[0].scores:
        truth, first, second = (_scores(rows, place) for place in (0, one + 1, other + 1))
        return significance.compare_scores(truth, first, second)
    return significance.compare(_counts(rows, one), _counts(rows, other))


def _scores(rows: Sequence[SharedRow], place: int) -> significance.Numbers:
    return np.array([row.scores[place] for row in rows])


def _counts(rows: Sequence[SharedRow], place: int) -> significance.Counts:
    return significance.counts([row.truth for row in rows], [row.predicted[place] for row in rows])


def _key(row: Answered) -> tuple[str, ...]:
    return (row.text, *row.tokens)
