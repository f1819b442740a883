"""Scores of several labels for each text, by scikit-learn's definitions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from services.training.examples import MultiLabelExample
from services.training.reporting import thresholds
from services.training.reporting.intervals import bootstrap_f1
from services.training.reporting.report import ClassScore, Scores, WorstPrediction

_WORST = 100
_SHOWN_CHARACTERS = 2_000
NOTHING = "no label"

Indicators = NDArray[np.bool_]


def indicators(labelled: Sequence[Sequence[str]], labels: Sequence[str]) -> Indicators:
    """(rows, labels), true where a label belongs to a row.

    Raises:
        KeyError: a row has a label that is not among the labels.
    """
    numbers = {label: number for number, label in enumerate(labels)}
    table = np.zeros((len(labelled), len(labels)), dtype=np.bool_)
    for row, names in enumerate(labelled):
        for name in names:
            table[row, numbers[name]] = True
    return table


def named(answers: Indicators, labels: Sequence[str]) -> list[list[str]]:
    """The labels of each row of a table that `indicators` could have made."""
    return [[labels[number] for number in np.flatnonzero(row).tolist()] for row in answers]


def micro_f1(truth: Indicators, answers: Indicators) -> float:
    """F1 over all yes and no of all labels; 0 where nothing is true and nothing was answered."""
    named = int(truth.sum()) + int(answers.sum())
    return 2 * int((truth & answers).sum()) / named if named else 0.0


def score(
    examples: Sequence[MultiLabelExample],
    labels: list[str],
    probabilities: NDArray[np.float32],
    chosen: NDArray[np.float32],
) -> Scores:
    """Scores of the labels whose probability reaches the threshold that was chosen for them.

    probabilities: (rows, labels), chosen: (labels). Averages run over all labels that occur in training, with
    0 where precision or recall is undefined; accuracy is the share of rows with exactly the true labels.
    """
    truth = indicators([example.labels for example in examples], labels)
    answers = thresholds.given(probabilities, chosen)
    per_label = precision_recall_fscore_support(truth, answers, average=None, zero_division=0)
    averages = {
        kind: float(precision_recall_fscore_support(truth, answers, average=kind, zero_division=0)[2])
        for kind in ("macro", "weighted", "micro")
    }
    counts = np.stack([(truth & answers).sum(1), answers.sum(1), truth.sum(1)], axis=1)
    return Scores(
        metric="f1",
        value=averages["micro"],
        interval=bootstrap_f1(counts),
        test_rows=len(examples),
        per_class=[
            ClassScore(label=label, precision=precision, recall=recall, f1=f1, support=support)
            for label, precision, recall, f1, support in zip(labels, *per_label, strict=True)
        ],
        macro_f1=averages["macro"],
        weighted_f1=averages["weighted"],
        micro_f1=averages["micro"],
        accuracy=float(accuracy_score(truth, answers)),
        worst=_worst(examples, labels, answers, truth, probabilities),
    )


def _worst(
    examples: Sequence[MultiLabelExample],
    labels: Sequence[str],
    answers: Indicators,
    truth: Indicators,
    probabilities: NDArray[np.float32],
) -> list[WorstPrediction]:
    """Rows with a wrong yes or no, the surest first: as sure as the model was of the wrong ones."""
    sureness = np.where(answers, probabilities, 1 - probabilities)
    wrong = answers ^ truth
    rows = [
        WorstPrediction(
            row=example.row,
            text=example.text[:_SHOWN_CHARACTERS],
            truth=", ".join(example.labels) or NOTHING,
            predicted=", ".join(np.array(labels)[answers[at]]) or NOTHING,
            score=float(sureness[at][wrong[at]].max()),
        )
        for at, example in enumerate(examples)
        if wrong[at].any()
    ]
    return sorted(rows, key=lambda one: -one.score)[:_WORST]
