"""What frozen features tell at little cost: rows that may be mislabelled, and what more rows would bring.

A head on frozen features is fitted in a second, so that it can be fitted on parts of the rows as well.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import linear

from services.training import extrapolation, fitting, suspects
from services.training.examples import SPLITS, TextExample
from services.training.fitting import Head
from services.training.report import LearningCurve, SuspectCount
from services.training.suspects import KEPT, Suspect

_FOLDS = 5
# Regularisation and steps of these heads: on banking77 with planted errors, fifteen steps rank the rows as
# well as a hundred, in a sixth of the time.
_STRENGTH, _STEPS = 0.1, 15
# A curve has five points, each of twice the rows of the one before; the first needs this many.
_POINTS, _FEWEST_ROWS = 5, 10


@dataclass(frozen=True)
class Study:
    """What came of it."""

    count: SuspectCount
    # The most doubtful rows.
    suspects: list[Suspect]
    # None where the rows are too few to be halved so often.
    curve: LearningCurve | None

    def save(self, file: Path) -> None:
        """Keep it for the case that the run is resumed."""
        parts = {"count": self.count.model_dump(), "curve": self.curve and self.curve.model_dump()}
        file.write_text(json.dumps(asdict(self) | parts), "utf-8")


def restore(file: Path) -> Study:
    """The study that `Study.save` kept."""
    kept = json.loads(file.read_text("utf-8"))
    kept["suspects"] = [Suspect(**one) for one in kept["suspects"]]
    kept["count"] = SuspectCount.model_validate(kept["count"])
    kept["curve"] = LearningCurve.model_validate(kept["curve"]) if kept["curve"] else None
    return Study(**kept)


def texts(
    rows: dict[str, list[TextExample]],
    labels: Sequence[str],
    features: dict[str, Tensor],
    targets: dict[str, Tensor],
    head: Head,
) -> Study:
    """Study the rows of text classification; all by split: features (rows, features), targets (rows)."""
    outputs = {
        split: linear(features[split], head.weight, head.bias).softmax(-1) for split in ("validation", "test")
    }
    outputs["train"] = _out_of_fold(features["train"], targets["train"], len(labels))
    numbers = torch.cat([targets[split] for split in SPLITS]).numpy()
    probabilities = torch.cat([outputs[split] for split in SPLITS]).numpy()
    found = suspects.doubted(numbers, probabilities)
    examples = [(split, row) for split in SPLITS for row in rows[split]]
    return Study(
        count=SuspectCount(checked=len(numbers), doubted=len(found), splits=list(SPLITS)),
        suspects=[_suspect(examples[place], labels, probabilities[place]) for place in found[:KEPT]],
        curve=_curve(features, targets, len(labels)),
    )


def _suspect(
    placed: tuple[str, TextExample], labels: Sequence[str], probabilities: NDArray[np.float32]
) -> Suspect:
    split, example = placed
    best = int(probabilities.argmax())
    return Suspect(
        split=split,
        row=example.row,
        text=example.text,
        label=example.label,
        suggested=labels[best],
        own=float(probabilities[labels.index(example.label)]),
        other=float(probabilities[best]),
    )


def folds(targets: Tensor, count: int) -> Tensor:
    """(rows), the number of each row's fold; each fold has its share of every label."""
    order, fold = _shuffled(len(targets)), torch.empty(len(targets), dtype=torch.long)
    # By label and then in turn.
    fold[order[targets[order].argsort(stable=True)]] = torch.arange(len(targets)) % count
    return fold


def _out_of_fold(features: Tensor, targets: Tensor, labels: int) -> Tensor:
    """(rows, labels): of each row by a head that was fitted on the other folds."""
    fold = folds(targets, _FOLDS)
    outputs = torch.empty(len(targets), labels)
    for held_out in range(_FOLDS):
        inside = fold == held_out
        head = _head(features[~inside], targets[~inside], labels)
        outputs[inside] = linear(features[inside], head.weight, head.bias).softmax(-1)
    return outputs


def _curve(features: dict[str, Tensor], targets: dict[str, Tensor], labels: int) -> LearningCurve | None:
    train = targets["train"]
    sizes = [len(train) >> halvings for halvings in reversed(range(_POINTS))]
    if sizes[0] < _FEWEST_ROWS:
        return None
    order, right = _shuffled(len(train)), []
    for size in sizes:
        part = order[:size]
        head = _head(features["train"][part], train[part], labels)
        answers = linear(features["test"], head.weight, head.bias).argmax(1)
        right.append((answers == targets["test"]).numpy())
    return extrapolation.learning_curve(sizes, np.stack(right))


def _head(features: Tensor, targets: Tensor, labels: int) -> Head:
    weight, bias = features.new_zeros(labels, features.shape[1]), features.new_zeros(labels)
    loss = fitting.fit(features, targets, weight, bias, _STRENGTH, steps=_STEPS)
    return Head(weight, bias, _STRENGTH, loss)


def _shuffled(count: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))
