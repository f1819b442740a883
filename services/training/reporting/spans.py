"""Entities as spans of words, read from IOB2 tags."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """An entity: words `start` to `end`, `end` exclusive."""

    type: str
    start: int
    end: int


def spans(tags: Sequence[str]) -> list[Span]:
    """The entities of one sentence's tags.

    An `I-` that continues nothing of its own type begins an entity, as in the CoNLL-2000 evaluation script.
    """
    found: list[Span] = []
    open_type, start = "", 0
    for position, tag in enumerate([*tags, "O"]):
        prefix, _, type_ = tag.partition("-")
        if open_type and not (prefix == "I" and type_ == open_type):
            found.append(Span(open_type, start, position))
            open_type = ""
        if type_ and not open_type:
            open_type, start = type_, position
    return found


class Score(NamedTuple):
    """Precision, recall and F1 (0 where undefined), and the number of true entities."""

    precision: float
    recall: float
    f1: float
    support: int


def score(correct: int, predicted: int, true: int) -> Score:
    """The score of so many correct among so many predicted and so many true entities."""
    precision = correct / predicted if predicted else 0.0
    recall = correct / true if true else 0.0
    f1 = 2 * correct / (predicted + true) if predicted + true else 0.0
    return Score(precision, recall, f1, true)


def count(
    truth: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Entities per type: those in both with exactly the same words, those predicted, those true."""
    correct, found, wanted = Counter[str](), Counter[str](), Counter[str]()
    for true_tags, predicted_tags in zip(truth, predicted, strict=True):
        true_spans, predicted_spans = set(spans(true_tags)), set(spans(predicted_tags))
        correct.update(span.type for span in true_spans & predicted_spans)
        found.update(span.type for span in predicted_spans)
        wanted.update(span.type for span in true_spans)
    return correct, found, wanted


def f1(truth: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> float:
    """Micro-averaged F1 over exact spans, 0 to 1."""
    correct, found, wanted = count(truth, predicted)
    return score(correct.total(), found.total(), wanted.total()).f1
