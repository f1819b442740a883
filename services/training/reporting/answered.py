"""Every row that a version was checked on, with its answers: a table beside the weights.

On it stand the confusions that open their rows, the threshold, and the comparison with other versions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from services.training.reporting.spans import Span

# Below an artefact; prediction needs none of it.
EVIDENCE = "evidence"
ANSWERED = f"{EVIDENCE}/answered.parquet"

_COLUMNS = pa.schema(
    [
        ("split", pa.string()),
        ("row", pa.int64()),
        ("text", pa.string()),
        ("tokens", pa.list_(pa.string())),
        ("truth", pa.list_(pa.string())),
        ("predicted", pa.list_(pa.string())),
        ("confidence", pa.list_(pa.float32())),
        ("scores", pa.list_(pa.float32())),
        ("off_by", pa.float64()),
        ("certainty", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Answered:
    """A row of the validation or test split; `row` is its number in the customer's file.

    `truth` and `predicted` are labels; entities are written as `start:end:type`, in words. `confidence` has a
    figure for each of `predicted`, and `scores` one for each label of the version, where the task has them.
    Where the task is regression, `scores` are the true and the predicted one, `off_by` so much.
    """

    split: str
    row: int
    text: str
    truth: list[str]
    predicted: list[str]
    confidence: list[float]
    scores: list[float] = field(default_factory=list)
    # Of a sentence.
    tokens: list[str] = field(default_factory=list)
    off_by: float | None = None
    # Where a row may have several labels: how likely all of the answer is right (abstention.certainty).
    certainty: float | None = None

    @property
    def right(self) -> bool:
        """Is it answered without a mistake?"""
        return set(self.truth) == set(self.predicted)


def written(span: Span) -> str:
    """An entity as one answer."""
    return f"{span.start}:{span.end}:{span.type}"


def read_span(answer: str) -> Span:
    """The entity that `written` wrote."""
    start, end, type_ = answer.split(":", 2)
    return Span(type_, int(start), int(end))


def units(rows: Sequence[Answered]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Confidence of every answer given in some rows, and whether it is right: (answers), (answers).

    Where a row may have several labels, all of them are one answer.
    """
    whole = [row for row in rows if row.certainty is not None]
    if whole:
        return np.array([row.certainty for row in whole]), np.array([row.right for row in whole])
    confidence = [figure for row in rows for figure in row.confidence]
    correct = [answer in row.truth for row in rows for answer in row.predicted]
    return np.array(confidence, np.float64), np.array(correct, bool)


def save(rows: Sequence[Answered], folder: Path) -> None:
    """Write the table into an artefact's folder."""
    table = pa.table({name: [getattr(row, name) for row in rows] for name in _COLUMNS.names}, schema=_COLUMNS)
    target = folder / ANSWERED
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, target, compression="zstd")


def read(content: bytes) -> list[Answered]:
    """The rows of a table that `save` wrote."""
    return [Answered(**row) for row in pq.read_table(BytesIO(content)).to_pylist()]
