"""Is there enough in a reading to learn from?"""

from collections import Counter

from services.datasets.errors import NoEntities, NoUsableRows, OneClass, SeveralLabels, TooManyLabels
from services.datasets.examples import TextExample
from services.datasets.limits import MAX_LABELS
from services.datasets.reading import Reading

_SEPARATORS = ",|;"
_SEVERAL_SHARE = 0.02


def require_usable(reading: Reading) -> None:
    """Go on only with at least two labels, or at least one entity.

    Raises:
        NoUsableRows, OneClass, NoEntities, TooManyLabels, SeveralLabels: otherwise.
    """
    if not reading.examples:
        raise NoUsableRows(
            {code.sentence.rstrip("."): rows for code, rows in reading.dropped_by_code.items()}
        )
    labels = Counter(label for example in reading.examples for label in example.labels)
    if len(labels) > MAX_LABELS or isinstance(reading.examples[0], TextExample):
        _require_one_each(labels)
    if not labels:
        raise NoEntities
    if len(labels) > MAX_LABELS:
        raise TooManyLabels(len(labels))
    if len(labels) == 1 and isinstance(reading.examples[0], TextExample):
        raise OneClass(next(iter(labels)))


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
