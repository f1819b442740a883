"""Is there enough in a reading to learn from?"""

from collections import Counter
from collections.abc import Mapping

from services.datasets.errors import NoEntities, NoUsableRows, OneClass, SeveralLabels, TooManyLabels
from services.datasets.examples import (
    ChatExample,
    PairExample,
    PlainExample,
    ScoreExample,
    TextExample,
    TokenExample,
)
from services.datasets.limits import MAX_LABELS
from services.datasets.reading import Reading

_SEPARATORS = ",|;"
_SEVERAL_SHARE = 0.02


def require_usable(reading: Reading) -> None:
    """Go on only with at least two labels, one entity, two different scores or one conversation.

    Raises:
        NoUsableRows, OneClass, NoEntities, TooManyLabels, SeveralLabels: otherwise.
    """
    if not reading.examples:
        raise NoUsableRows(
            {code.sentence.rstrip("."): rows for code, rows in reading.dropped_by_code.items()}
        )
    first = reading.examples[0]
    if isinstance(first, ChatExample | PlainExample):
        return
    if isinstance(first, ScoreExample):
        _require_two(Counter(e.score for e in reading.examples if isinstance(e, ScoreExample)))
        return
    labels = Counter(label for example in reading.examples for label in example.labels)
    if isinstance(first, TextExample):
        _require_one_each(labels)
    if len(labels) > MAX_LABELS:
        raise TooManyLabels(len(labels))
    if isinstance(first, TokenExample):
        if not labels:
            raise NoEntities
    elif isinstance(first, TextExample | PairExample):
        _require_two(labels)
    elif not labels:
        raise OneClass("none")


def _require_two(values: Mapping[str, int] | Mapping[float, int]) -> None:
    if len(values) == 1:
        raise OneClass(f"{next(iter(values))}")


def _require_one_each(labels: Counter[str]) -> None:
    several = [label for label in labels if _is_list_of(label, labels)]
    if sum(labels[label] for label in several) > _SEVERAL_SHARE * labels.total():
        raise SeveralLabels(several[0])


def _is_list_of(label: str, labels: Counter[str]) -> bool:
    """Does the label join others that also stand alone, or is it written as a list?"""
    if label.startswith("[") and label.endswith("]"):
        return True
    parts = next((label.split(mark) for mark in _SEPARATORS if mark in label), [])
    return bool(parts) and all(part.strip() in labels for part in parts)
