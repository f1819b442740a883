"""Rows that say the same again, and rows that say the same and contradict one another."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from services.datasets.examples import Example, ScoreExample, TokenExample
from services.datasets.findings.catalogue import Code
from services.datasets.findings.corpus import Corpus
from services.datasets.findings.finding import EXCERPTS, Finding
from services.datasets.near import Positions


def check(corpus: Corpus) -> Iterator[Finding]:
    """Contradictions with all their rows; copies and near copies without the first of each."""
    every = np.arange(len(corpus.examples))
    later = np.flatnonzero(corpus.copies != every)
    answers: dict[int, set[Any]] = {}
    again = []
    for at, first in zip(later.tolist(), corpus.copies[later].tolist(), strict=True):
        known = answers.setdefault(first, {answer(corpus.examples[first])})
        if (found := answer(corpus.examples[at])) in known:
            again.append(at)
        known.add(found)

    torn = [first for first, known in answers.items() if len(known) > 1]
    contradicted = _together(np.flatnonzero(np.isin(corpus.copies, torn)), corpus.copies)
    detail = f"Texts with more than one answer: {len(torn):,}."
    yield from corpus.finding(Code.conflicting_labels, contradicted, detail=detail)
    yield from _like_another(corpus, Code.duplicate, np.array(again, np.int64), corpus.copies)
    near = np.flatnonzero((corpus.clusters != every) & (corpus.copies == every))
    yield from _like_another(corpus, Code.near_duplicate, near, corpus.clusters)


def _like_another(corpus: Corpus, code: Code, positions: Positions, groups: Positions) -> Iterator[Finding]:
    """The finding about rows that are like the first of their group, which is shown beside them."""
    together = _together(positions, groups)
    beside = dict.fromkeys(at for later in together[:EXCERPTS] for at in (int(groups[later]), later))
    detail = f"Texts that they repeat: {np.unique(groups[positions]).size:,}."
    yield from corpus.finding(code, together, spots=[(at, 0, 0) for at in beside], detail=detail)


def _together(positions: Positions, groups: Positions) -> list[int]:
    """Those of one group side by side, so that excerpts show what belongs together."""
    ordered: list[int] = positions[np.argsort(groups[positions], kind="stable")].tolist()
    return ordered


def answer(example: Example) -> Any:
    """What a model is to learn from an example, to be compared with another's; None of a conversation."""
    match example:
        case TokenExample():
            return example.tags
        case ScoreExample():
            return example.score
    return example.labels
