"""One answer out of those of several annotators: what more than half of them say."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean
from typing import Any

from services.datasets.dropped import DropCode
from services.datasets.examples import Example, MultiLabelExample, TextExample
from services.datasets.layouts.annotations import spans_of
from services.datasets.layouts.faults import label_fault, text_fault
from services.datasets.layouts.labels import items_of
from services.datasets.layouts.spans import Span, tagged
from services.datasets.notes import Notes
from services.training.recipe import Task

# What one person marked in one text: entities, or labels.
Answer = tuple[Span | str, ...]


def decided(
    row: int, text: object, answers: Sequence[Answer | None], task: Task, notes: Notes
) -> Example | DropCode:
    """The example that most annotators see in a text; an answer that cannot be read is None."""
    if not answers:
        return DropCode.not_annotated
    if not isinstance(text, str) or None in answers:
        return DropCode.wrong_type
    given = [answer for answer in answers if answer is not None]
    if len(given) > 1:
        notes.agreement(row, agreement(given))
    if task is Task.token_classification:
        return tagged(row, text, [span for span in majority(given) if isinstance(span, Span)], notes)

    text = text.strip()
    labels = [item for item in majority(given) if isinstance(item, str)]
    if task is Task.text_classification:
        votes = Counter(str(item) for answer in given for item in answer)
        labels = [label for label, _ in votes.most_common(1)]
    for fault in (text_fault(text), *map(label_fault, labels)):
        if fault:
            return fault
    if task is Task.multi_label:
        return MultiLabelExample(row, text, tuple(sorted(labels)))
    return TextExample(row, text, labels[0]) if labels else DropCode.missing_label


def answer_of(value: Any, task: Task) -> Answer | None:
    """What was answered, from a list of entities, a list of labels or a single one; None if it is neither."""
    if task is Task.token_classification:
        spans = spans_of(value)
        return spans if spans is None else tuple(spans)
    labels = items_of(value, None)
    return labels if labels is None else tuple(label.strip() for label in labels)


def majority(answers: Sequence[Answer]) -> list[Span | str]:
    """What more than half of the annotators marked, in the order of its first mention."""
    votes = Counter(item for answer in answers for item in dict.fromkeys(answer))
    return [item for item, count in votes.items() if count * 2 > len(answers)]


def agreement(answers: Sequence[Answer]) -> float:
    """How much two annotators have in common: shared answers among all of both, averaged over the pairs."""
    pairs = combinations([set(answer) for answer in answers[:10]], 2)
    return fmean(len(one & other) / len(one | other) if one | other else 1.0 for one, other in pairs)
