"""Rows whose label is probably wrong, found by confident learning: a table beside the weights.

C. Northcutt, L. Jiang and I. Chuang, "Confident learning: estimating uncertainty in dataset labels" (2021),
as the package cleanlab computes it. Every probability comes from a model that has not learned from the row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.special import erfc

from services.training.reporting.answered import EVIDENCE

SUSPECTS = f"{EVIDENCE}/suspects.parquet"
# More than anybody reads; the report says how many there were.
KEPT = 500
# A label of fewer rows is not known well enough to doubt one of them.
FEWEST_ROWS = 5
# Robust standard deviations.
_TOO_FAR = 4.0

_COLUMNS = pa.schema(
    [
        ("split", pa.string()),
        ("row", pa.int64()),
        ("text", pa.string()),
        ("tokens", pa.list_(pa.string())),
        ("label", pa.string()),
        ("suggested", pa.string()),
        ("word", pa.int64()),
        ("own", pa.float32()),
        ("other", pa.float32()),
        ("given", pa.list_(pa.string())),
        ("better", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row that is probably labelled wrongly, or, of a sentence, one of its words.

    `own` is the probability of the label that it has, `other` that of the suggested one.
    """

    split: str
    row: int
    text: str
    label: str
    suggested: str
    own: float
    other: float
    # Of a sentence; `word` is the place of the word whose tag is doubted.
    tokens: list[str] | None = None
    word: int | None = None
    # Where a row may have several labels: those that it has, and those that are likelier. Of a sentence the
    # tags of all its words.
    given: list[str] | None = None
    better: list[str] | None = None


def doubted(labels: NDArray[np.int64], probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """The rows whose label is probably wrong, the least likely label first.

    labels: (rows), numbers of the columns of probabilities: (rows, labels), each row summing to one.
    """
    # Imported here: only a run that ends needs it, and it brings pandas.
    from cleanlab.filter import find_label_issues

    known = np.flatnonzero(np.bincount(labels, minlength=probabilities.shape[1]) >= FEWEST_ROWS)
    rows = np.flatnonzero(np.isin(labels, known))
    if len(known) < 2:
        return rows[:0]
    part = probabilities[np.ix_(rows, known)].astype(np.float64) + 1e-12
    # The labels that are not known well enough are left out, so that what is left sums to one again.
    part /= part.sum(1, keepdims=True)
    found = find_label_issues(
        np.searchsorted(known, labels[rows]), part, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    doubts = rows[found]
    # Where the label is the most likely one after all, nothing better could be suggested.
    better: NDArray[np.int64] = doubts[probabilities[doubts].argmax(1) != labels[doubts]]
    return better


def doubted_labels(truth: NDArray[np.bool_], probabilities: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(rows, labels), true where it is probably wrong that a row has, or has not, a label.

    truth: (rows, labels); probabilities: of each yes, from a model that has not learned from the row.
    """
    from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class

    wrong = np.zeros_like(truth)
    known = np.flatnonzero(np.minimum(truth.sum(0), (~truth).sum(0)) >= FEWEST_ROWS)
    if len(known):
        part = np.clip(probabilities[:, known].astype(np.float64), 1e-12, 1 - 1e-12)
        has = [np.flatnonzero(row).tolist() for row in truth[:, known]]
        wrong[:, known] = find_multilabel_issues_per_class(has, part, n_jobs=1)
    # Where the answer agrees after all, nothing better could be suggested.
    doubts: NDArray[np.bool_] = wrong & (truth != (probabilities >= 0.5))
    return doubts


def outlying(errors: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The scores that lie too far from what their text is worth, the farthest first; and how likely each is.

    errors: (rows), of a model that has not learned from the row. Too far are four robust standard deviations:
    1.4826 times the median absolute deviation (P. J. Rousseeuw and C. Croux, "Alternatives to the median
    absolute deviation", 1993). The likelihood is a normal distribution's, of an error at least so large.
    """
    apart = np.abs(errors - np.median(errors))
    deviations = apart / max(1.4826 * float(np.median(apart)), 1e-12)
    order = np.argsort(-deviations, kind="stable")
    likely: NDArray[np.float64] = erfc(deviations / np.sqrt(2))
    return order[deviations[order] > _TOO_FAR], likely


def save(rows: Sequence[Suspect], folder: Path) -> None:
    """Write the table into an artefact's folder."""
    table = pa.table({name: [getattr(row, name) for row in rows] for name in _COLUMNS.names}, schema=_COLUMNS)
    target = folder / SUSPECTS
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, target, compression="zstd")


def read(content: bytes) -> list[Suspect]:
    """The rows of a table that `save` wrote."""
    return [Suspect(**row) for row in pq.read_table(BytesIO(content)).to_pylist()]
