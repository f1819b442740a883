"""Mistakes with entities by their kind: other words, another type, not found, or none there."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.training.reporting.spans import Span


class ErrorKind(StrEnum):
    """What is wrong with an entity, after the categories of the fifth MUC (Chinchor and Sundheim 1993)."""

    # Of its type, and the words overlap without being the same.
    boundary = "boundary"
    # The same words under another type.
    type = "type"
    # The words overlap under another type.
    both = "boundary and type"
    # True, and nothing overlaps it.
    missed = "missed"
    # Predicted, and nothing overlaps it.
    extra = "extra"


@dataclass(frozen=True, slots=True)
class EntityError:
    """One mistake; an entity is without its counterpart where it was missed or is extra."""

    kind: ErrorKind
    true: Span | None
    predicted: Span | None


def errors(true: Sequence[Span], predicted: Sequence[Span]) -> list[EntityError]:
    """The mistakes in one sentence, in its order; each entity has part in one of them at most.

    Right entities are set apart first. Then those of the same words are paired, then those that overlap: of
    the same type before others, the longest overlap first.
    """
    left = [span for span in true if span not in set(predicted)]
    found = [span for span in predicted if span not in set(true)]
    pairs = sorted(
        ((one, two) for one in left for two in found if _overlap(one, two)),
        key=lambda pair: (not _same_words(*pair), pair[0].type != pair[1].type, -_overlap(*pair), pair),
    )
    taken: set[tuple[bool, Span]] = set()
    mistakes = []
    for one, two in pairs:
        if (True, one) not in taken and (False, two) not in taken:
            taken |= {(True, one), (False, two)}
            mistakes.append(EntityError(_kind(one, two), one, two))
    mistakes += [EntityError(ErrorKind.missed, one, None) for one in left if (True, one) not in taken]
    mistakes += [EntityError(ErrorKind.extra, None, two) for two in found if (False, two) not in taken]
    return sorted(mistakes, key=_place)


def count(truth: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]) -> Counter[ErrorKind]:
    """Mistakes of each kind over sentences."""
    return Counter(one.kind for pair in zip(truth, predicted, strict=True) for one in errors(*pair))


def _kind(one: Span, two: Span) -> ErrorKind:
    if _same_words(one, two):
        return ErrorKind.type
    return ErrorKind.boundary if one.type == two.type else ErrorKind.both


def _same_words(one: Span, two: Span) -> bool:
    return (one.start, one.end) == (two.start, two.end)


def _overlap(one: Span, two: Span) -> int:
    return max(0, min(one.end, two.end) - max(one.start, two.start))


def _place(mistake: EntityError) -> int:
    span = mistake.true or mistake.predicted
    assert span is not None
    return span.start
