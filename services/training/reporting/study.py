"""What frozen features tell at little cost: rows that may be mislabelled, and what more rows would bring.

A head on frozen features is fitted in a second, so that it can be fitted on parts of the rows as well.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from services.training import fitting
from services.training.examples import SPLITS, MultiLabelExample, ScoreExample, TextExample
from services.training.fitting import Head
from services.training.reporting import extrapolation, labels_scores, suspects, thresholds
from services.training.reporting.report import LearningCurve, SuspectCount
from services.training.reporting.suspects import KEPT, Suspect

FOLDS = 5
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


# By split: (rows, features), targets, or what is said of the rows.
BySplit = Mapping[str, Tensor]
# What is said of each split by what has learnt from these training rows alone.
Learn = Callable[[Tensor], BySplit]
# What heads say and words add to it, both having learnt from these training rows alone.
WithWords = Callable[[Tensor, BySplit], BySplit]
# Of what is said and each test row: what is lost of the metric, of how much (extrapolation.learning_curve).
Lost = Callable[[BySplit], tuple[Tensor, Tensor]]


def texts(
    rows: dict[str, list[TextExample]],
    labels: Sequence[str],
    features: BySplit,
    targets: BySplit,
    head: Head,
    words: WithWords | None = None,
) -> Study:
    """Study rows with one label each; by split: features (rows, features), targets (rows).

    `head` has learned from the training rows alone. The curve is of heads of its strength, and where the
    model counts single words of `words` beside them, so that it leads to what the model is worth; doubts are
    as good without.
    """

    def learn(some: Tensor, strength: float = _STRENGTH) -> BySplit:
        own = logistic(features["train"][some], targets["train"][some], len(labels), strength=strength)
        return said(own, features)

    def as_the_model(some: Tensor) -> BySplit:
        heads = learn(some, head.strength)
        return words(some, heads) if words else heads

    def lost(outputs: BySplit) -> tuple[Tensor, Tensor]:
        wrong = outputs["test"].argmax(1) != targets["test"]
        return wrong, torch.ones_like(wrong)

    outputs = _held_out(learn, said(head, features), by=targets["train"]).softmax(-1).numpy()
    numbers = torch.cat([targets[split] for split in SPLITS]).numpy()
    found = suspects.doubted(numbers, outputs)
    examples = [(split, row) for split in SPLITS for row in rows[split]]
    doubts = []
    for place in found[:KEPT]:
        (split, example), probabilities = examples[place], outputs[place]
        best = int(probabilities.argmax())
        doubts.append(
            Suspect(
                split=split,
                row=example.row,
                text=example.text,
                label=example.label,
                suggested=labels[best],
                own=float(probabilities[labels.index(example.label)]),
                other=float(probabilities[best]),
            )
        )
    return _study(len(examples), len(found), doubts, _curve(as_the_model, len(targets["train"]), lost))


def labelled(
    rows: dict[str, list[MultiLabelExample]],
    labels: Sequence[str],
    features: BySplit,
    targets: BySplit,
    head: Head,
    words: WithWords | None = None,
) -> Study:
    """Study rows with any number of labels; as `texts`, with targets (rows, labels).

    As the model is, so is what is studied: heads of the strength of `head`, and where the model counts single
    words `words` beside them, which adds to what is said what words learn from some training rows alone.
    """
    every = torch.arange(len(targets["train"]))

    def learn(some: Tensor) -> BySplit:
        own = logistic(
            features["train"][some],
            targets["train"][some],
            len(labels),
            fitting.one_vs_rest,
            strength=head.strength,
        )
        heads = said(own, features)
        return words(some, heads) if words else heads

    def lost(outputs: BySplit) -> tuple[Tensor, Tensor]:
        held_out, test = (outputs[split].sigmoid().numpy() for split in ("validation", "test"))
        chosen = thresholds.choose(targets["validation"].numpy() > 0, held_out)
        given, true = torch.from_numpy(thresholds.given(test, chosen)), targets["test"] > 0
        return (given ^ true).sum(1), given.sum(1) + true.sum(1)

    outputs = _held_out(learn, learn(every), by=torch.zeros(len(every))).sigmoid().numpy()
    truth = torch.cat([targets[split] for split in SPLITS]).numpy() > 0
    wrong = suspects.doubted_labels(truth, outputs)
    # How likely the least likely of a row's doubted yes and no is.
    own = np.where(wrong, np.where(truth, outputs, 1 - outputs), 1.0).min(1)
    found = [place for place in np.argsort(own, kind="stable") if wrong[place].any()]
    examples = [(split, row) for split in SPLITS for row in rows[split]]
    doubts = []
    for place in found[:KEPT]:
        split, example = examples[place]
        (better,) = labels_scores.named((truth ^ wrong)[place : place + 1], labels)
        doubts.append(
            Suspect(
                split=split,
                row=example.row,
                text=example.text,
                label=", ".join(example.labels) or labels_scores.NOTHING,
                suggested=", ".join(better) or labels_scores.NOTHING,
                own=float(own[place]),
                other=float(1 - own[place]),
                given=list(example.labels),
                better=better,
            )
        )
    return _study(len(examples), len(found), doubts, _curve(learn, len(targets["train"]), lost))


def scored(rows: dict[str, list[ScoreExample]], features: BySplit, targets: BySplit, head: Head) -> Study:
    """Study rows with a score each; as `texts`, with targets (rows) that are standardised."""

    def learn(some: Tensor) -> BySplit:
        parts = features["train"][some], targets["train"][some]
        return said(next(fitting.ridge(*parts, (head.strength,), head)), features)

    centre = targets["test"].mean()

    def lost(outputs: BySplit) -> tuple[Tensor, Tensor]:
        answers = outputs["test"].squeeze(1)
        return (answers - targets["test"]).square(), (targets["test"] - centre).square()

    by = torch.zeros(len(targets["train"]))
    outputs = _held_out(learn, said(head, features), by=by).squeeze(1).double().numpy()
    truth = torch.cat([targets[split] for split in SPLITS]).double().numpy()
    found, likely = suspects.outlying(outputs - truth)
    examples = [(split, row) for split in SPLITS for row in rows[split]]
    # Back into the customer's unit.
    slope, start = np.polyfit(truth, [row.score for _, row in examples], 1)
    doubts = [
        Suspect(
            split=split,
            row=example.row,
            text="\n".join(filter(None, (example.first, example.second))),
            label=f"{example.score:g}",
            suggested=f"{slope * outputs[place] + start:.3g}",
            own=float(likely[place]),
            other=float(1 - likely[place]),
        )
        for place, (split, example) in ((place, examples[place]) for place in found[:KEPT])
    ]
    return _study(len(examples), len(found), doubts, _curve(learn, len(targets["train"]), lost))


def _study(checked: int, doubted: int, doubts: list[Suspect], curve: LearningCurve | None) -> Study:
    return Study(SuspectCount(checked=checked, doubted=doubted, splits=list(SPLITS)), doubts, curve)


def folds(by: Tensor, count: int) -> Tensor:
    """(rows), the number of each row's fold; each fold has its share of every value, such as a label."""
    order, fold = shuffled(len(by)), torch.empty(len(by), dtype=torch.long)
    # By value and then in turn.
    fold[order[by[order].argsort(stable=True)]] = torch.arange(len(by)) % count
    return fold


def said(head: Head, features: BySplit) -> dict[str, Tensor]:
    """What a head says of each split: (rows, outputs)."""
    return {split: linear(part, head.weight, head.bias) for split, part in features.items()}


def _held_out(learn: Learn, whole: BySplit, *, by: Tensor) -> Tensor:
    """(rows of all splits, outputs), each by what has not learned the row; `by` is as for `folds`.

    `whole` is said by what has learned from all training rows, and no others.
    """
    fold, outputs = folds(by, FOLDS), torch.empty_like(whole["train"])
    for held_out in range(FOLDS):
        inside = fold == held_out
        outputs[inside] = learn((~inside).nonzero().flatten())["train"][inside]
    return torch.cat([outputs, *(whole[split] for split in SPLITS[1:])])


def _curve(learn: Learn, rows: int, lost: Lost) -> LearningCurve | None:
    counts = sizes(rows)
    if not counts:
        return None
    order = shuffled(rows)
    found = [lost(learn(order[:size])) for size in counts]
    gone, of = (torch.stack(part).double().numpy() for part in zip(*found, strict=True))
    return extrapolation.learning_curve(counts, gone, of)


def sizes(rows: int) -> list[int]:
    """The rows of each point of a curve, each twice those of the one before; none where they are too few."""
    found = [rows >> halvings for halvings in reversed(range(_POINTS))]
    return found if found[0] >= _FEWEST_ROWS else []


def logistic(
    features: Tensor,
    targets: Tensor,
    labels: int,
    loss_of: fitting.Loss = cross_entropy,
    *,
    strength: float = _STRENGTH,
) -> Head:
    """A head of so many labels; as `fitting.fit`."""
    weight, bias = features.new_zeros(labels, features.shape[1]), features.new_zeros(labels)
    loss = fitting.fit(features, targets, weight, bias, strength, loss_of, steps=_STEPS)
    return Head(weight, bias, strength, loss)


def shuffled(count: int) -> Tensor:
    """The numbers of so many rows, in an order that is always the same."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))
