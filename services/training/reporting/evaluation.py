"""Scores of a split: scikit-learn's definitions for texts, seqeval's for entities."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from services.training.examples import TextExample, TokenExample
from services.training.reporting import entity_errors, spans
from services.training.reporting.intervals import bootstrap_f1, wilson
from services.training.reporting.report import ClassScore, Confusion, Scores, WorstPrediction
from services.training.reporting.spans import Span

_WORST = 100
_SHOWN_CHARACTERS = 2_000


def score_texts(
    examples: Sequence[TextExample], labels: list[str], probabilities: NDArray[np.float32]
) -> Scores:
    """Scores of text classification; averages run over the labels that are true or predicted somewhere.

    probabilities: (rows, labels).
    """
    position = {label: number for number, label in enumerate(labels)}
    truth = np.array([position[example.label] for example in examples])
    answers = probabilities.argmax(1)
    every = np.arange(len(labels))
    per_label = precision_recall_fscore_support(truth, answers, labels=every, zero_division=0)
    present = np.union1d(truth, answers)
    averages = {
        kind: float(
            precision_recall_fscore_support(truth, answers, labels=present, average=kind, zero_division=0)[2]
        )
        for kind in ("macro", "weighted", "micro")
    }
    correct = int((truth == answers).sum())
    return Scores(
        metric="accuracy",
        value=correct / len(truth),
        interval=wilson(correct, len(truth)),
        test_rows=len(truth),
        per_class=[
            ClassScore(label=label, precision=precision, recall=recall, f1=f1, support=support)
            for label, precision, recall, f1, support in zip(labels, *per_label, strict=True)
        ],
        macro_f1=averages["macro"],
        weighted_f1=averages["weighted"],
        micro_f1=averages["micro"],
        accuracy=correct / len(truth),
        confusion=Confusion(labels=labels, counts=confusion_matrix(truth, answers, labels=every).tolist()),
        worst=_worst_texts(examples, labels, answers, probabilities),
    )


def score_sentences(
    examples: Sequence[TokenExample], types: list[str], tagging: Sequence[tuple[list[str], list[float]]]
) -> Scores:
    """Scores of token classification by exact span; averages run over types that are true or predicted.

    tagging: per sentence, the tag of each word and the tag's probability.
    """
    truth = [example.tags for example in examples]
    predicted = [tags for tags, _ in tagging]
    correct, found, wanted = spans.count(truth, predicted)
    total = spans.score(correct.total(), found.total(), wanted.total())
    by_type = {type_: spans.score(correct[type_], found[type_], wanted[type_]) for type_ in types}
    present = [by_type[type_] for type_ in types if found[type_] or wanted[type_]]
    words = sum(map(len, truth))
    right = sum(a == b for pair in zip(truth, predicted, strict=True) for a, b in zip(*pair, strict=True))
    return Scores(
        metric="f1",
        value=total.f1,
        interval=bootstrap_f1(np.array([_counts(*pair) for pair in zip(truth, predicted, strict=True)])),
        test_rows=len(examples),
        per_class=[
            ClassScore(
                label=type_, precision=part.precision, recall=part.recall, f1=part.f1, support=part.support
            )
            for type_, part in by_type.items()
        ],
        macro_f1=sum(part.f1 for part in present) / max(1, len(present)),
        weighted_f1=sum(part.f1 * part.support for part in present) / max(1, total.support),
        micro_f1=total.f1,
        accuracy=right / max(1, words),
        confusion=None,
        worst=_worst_sentences(examples, tagging),
        entity_errors=entity_errors.count(
            [spans.spans(tags) for tags in truth], [spans.spans(tags) for tags in predicted]
        ),
    )


def _counts(truth: Sequence[str], predicted: Sequence[str]) -> tuple[int, int, int]:
    true, found = set(spans.spans(truth)), set(spans.spans(predicted))
    return len(true & found), len(found), len(true)


def _worst_texts(
    examples: Sequence[TextExample],
    labels: list[str],
    answers: NDArray[np.int64],
    probabilities: NDArray[np.float32],
) -> list[WorstPrediction]:
    wrong = [
        WorstPrediction(
            row=example.row,
            text=example.text[:_SHOWN_CHARACTERS],
            truth=example.label,
            predicted=labels[answer],
            score=float(scores[answer]),
        )
        for example, answer, scores in zip(examples, answers, probabilities, strict=True)
        if labels[answer] != example.label
    ]
    return sorted(wrong, key=lambda one: -one.score)[:_WORST]


def _worst_sentences(
    examples: Sequence[TokenExample], tagging: Sequence[tuple[list[str], list[float]]]
) -> list[WorstPrediction]:
    wrong = []
    for example, (tags, confidence) in zip(examples, tagging, strict=True):
        true, found = spans.spans(example.tags), spans.spans(tags)
        mistaken = set(true) ^ set(found)
        if not mistaken:
            continue
        words = [confidence[word] for span in mistaken for word in range(span.start, span.end)]
        wrong.append(
            WorstPrediction(
                row=example.row,
                text=" ".join(example.tokens)[:_SHOWN_CHARACTERS],
                truth=_named(example.tokens, true),
                predicted=_named(example.tokens, found),
                score=sum(words) / len(words),
            )
        )
    return sorted(wrong, key=lambda one: -one.score)[:_WORST]


def _named(tokens: list[str], found: list[Span]) -> str:
    """For example `Empire State (location), Ada (person)`."""
    return (
        ", ".join(f"{' '.join(tokens[span.start : span.end])} ({span.type})" for span in found) or "no entity"
    )
