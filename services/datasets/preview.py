"""What a person sees of a file before it is frozen: how it was understood, and what would become of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, TypeAdapter
from typing_extensions import Unpack

from services.datasets.detection import Guess, Known
from services.datasets.dropped import DropCode, Dropped
from services.datasets.examples import Example, from_line, to_line
from services.datasets.formats import Format
from services.datasets.notes import Note
from services.datasets.reading import Reading
from services.datasets.sandbox import Content, apart, refused, revived
from services.datasets.splits import Splits, split
from services.datasets.usable import require_usable
from services.errors import ServiceError

DEFAULT_SEED = 42
_FIRST = 20
_SHOWN_ROW_NUMBERS = 50
# How they leave the process that reads the file.
Line = Annotated[Example, PlainValidator(from_line), PlainSerializer(to_line)]
_Problem = Annotated[ServiceError, PlainValidator(revived), PlainSerializer(refused)]


@dataclass(frozen=True)
class DroppedGroup:
    """All rows that were dropped for one reason: how many, and the numbers of the first of them."""

    code: DropCode
    reason: str
    count: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Preview:
    """A file as it would be frozen; `rows_in` is `rows_used` plus the counts of `dropped`.

    `labels` and `splits` count by label (or entity type) and by split. `problem` is why it cannot be frozen
    as it is; then there are no splits.
    """

    rows_in: int
    rows_used: int
    first: tuple[Line, ...]
    dropped: tuple[DroppedGroup, ...]
    labels: dict[str, int]
    splits: dict[str, int]
    train_only_labels: tuple[str, ...]
    problem: _Problem | None
    notes: tuple[Note, ...] = ()

    @property
    def rows_dropped(self) -> int:
        """The rows that cannot be used."""
        return self.rows_in - self.rows_used


GUESS = TypeAdapter(Guess)
PREVIEW = TypeAdapter(Preview)
INSPECTED = TypeAdapter(tuple[Guess, Preview])


def guess(content: Content, **known: Unpack[Known]) -> Guess:
    """How we understand a file, how sure we are, and why; what is known is not guessed.

    Raises:
        ServiceError: it cannot be read, as `detection.guess` and `sandbox.apart` say.
    """
    with apart("guess", content, known=known) as (result, _):
        return GUESS.validate_json(result)


def inspect(content: Content, **known: Unpack[Known]) -> tuple[Format, Preview]:
    """How we understand a file, and what it would make.

    Raises:
        ServiceError: it cannot be read at all, as `detection.guess`, `read` and `sandbox.apart` say.
    """
    with apart("inspect", content, known=known, seed=DEFAULT_SEED) as (result, _):
        found, seen = INSPECTED.validate_json(result)
    return found.form, seen


def preview(content: Content, form: Format, *, seed: int = DEFAULT_SEED) -> Preview:
    """What a file would make, read in a format.

    Raises:
        ServiceError: it cannot be read at all, as `read` and `sandbox.apart` say.
    """
    with apart("preview", content, form=form.model_dump(mode="json"), seed=seed) as (result, _):
        return PREVIEW.validate_json(result)


def preview_of(reading: Reading, *, seed: int) -> Preview:
    """What a reading would make."""
    return preview_and_splits(reading, seed=seed)[0]


def preview_and_splits(reading: Reading, *, seed: int) -> tuple[Preview, Splits | None]:
    """What a reading would make, and its splits where it can be split."""
    splits, problem = _try_to_split(reading, seed)
    seen = Preview(
        rows_in=reading.rows_in,
        rows_used=len(reading.examples),
        first=reading.examples[:_FIRST],
        dropped=group_dropped(reading.dropped),
        labels=_label_counts(reading.examples),
        splits=splits.rows if splits else {},
        train_only_labels=splits.train_only if splits else (),
        problem=problem,
        notes=reading.notes,
    )
    return seen, splits


def group_dropped(dropped: Iterable[Dropped]) -> tuple[DroppedGroup, ...]:
    """The dropped rows by reason, the most frequent first."""
    rows: dict[DropCode, list[int]] = {}
    for item in dropped:
        rows.setdefault(item.code, []).append(item.row)
    groups = [
        DroppedGroup(code, code.sentence, len(numbers), tuple(numbers[:_SHOWN_ROW_NUMBERS]))
        for code, numbers in rows.items()
    ]
    return tuple(sorted(groups, key=lambda group: -group.count))


def _try_to_split(reading: Reading, seed: int) -> tuple[Splits | None, ServiceError | None]:
    try:
        require_usable(reading)
        return split(reading.examples, seed=seed, given=reading.given, groups=reading.groups), None
    except ServiceError as problem:
        return None, problem


def _label_counts(examples: Iterable[Example]) -> dict[str, int]:
    counts = Counter(label for example in examples for label in example.labels)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
