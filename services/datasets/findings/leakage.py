"""Rows of the validation and test splits that a model has seen, or as good as seen, in training."""

from collections.abc import Iterator

import numpy as np

from services.datasets.findings.catalogue import Code
from services.datasets.findings.corpus import Corpus
from services.datasets.findings.finding import Finding
from services.datasets.near import Positions
from services.datasets.split import Split
from services.datasets.splits import Splits


def check(corpus: Corpus, splits: Splits) -> Iterator[Finding]:
    """The held-out rows whose text, or a near copy of it, stands in another split as well."""
    where = {example.row: number for number, which in enumerate(Split) for example in splits.of(which)}
    numbers = np.fromiter((where.get(example.row, 0) for example in corpus.examples), np.int64)
    exact = _leaked(corpus.copies, numbers)
    near = np.setdiff1d(_leaked(corpus.clusters, numbers), exact)
    yield from corpus.finding(Code.leakage, exact.tolist())
    yield from corpus.finding(Code.near_leakage, near.tolist())


def _leaked(groups: Positions, splits: Positions) -> Positions:
    """The positions outside of train (split 0) whose group stands in several splits."""
    pairs = np.unique(groups * len(Split) + splits)
    torn, times = np.unique(pairs // len(Split), return_counts=True)
    return np.flatnonzero(np.isin(groups, torn[times > 1]) & (splits > 0))
