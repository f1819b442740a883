"""What can be done about findings, as values: kept with a version, replayed from the file as it was read.

A fix names rows by their number in the file, which no other fix changes. Leaving a fix out of the list undoes
it. Dropping, editing and moving rows may stand in any order; copies are found as the fixes before left them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from services.datasets.examples import Example
from services.datasets.findings.catalogue import Code, FixName
from services.datasets.findings.characters import cleaned
from services.datasets.findings.copies import answer
from services.datasets.findings.finding import Finding
from services.datasets.near import clusters
from services.datasets.rewriting import edited, with_labels, with_redactions, with_texts
from services.datasets.split import Split
from services.training.recipe import Frozen


class DropRows(Frozen):
    """Leave rows out."""

    name: Literal[FixName.drop_rows] = FixName.drop_rows
    rows: tuple[int, ...]


class Trim(Frozen):
    """Take spaces off the ends of texts and labels, and make runs of them one."""

    name: Literal[FixName.trim] = FixName.trim


class Clean(Frozen):
    """Take HTML and control characters out of texts, and repair letters broken by a wrong encoding."""

    name: Literal[FixName.clean] = FixName.clean


class MapLabels(Frozen):
    """Rename labels, so that several become one; old name -> new name."""

    name: Literal[FixName.map_labels] = FixName.map_labels
    labels: dict[str, str]


class Dedupe(Frozen):
    """Of rows with the same text and the same answer keep the first."""

    name: Literal[FixName.dedupe] = FixName.dedupe


class MoveLeaks(Frozen):
    """Move to train whatever stands in several of the given splits, near copies included."""

    name: Literal[FixName.move_leaks] = FixName.move_leaks


class Redact(Frozen):
    """Put a word in square brackets in the place of personal data."""

    name: Literal[FixName.redact] = FixName.redact
    kinds: tuple[Code, ...]


class EditRow(Frozen):
    """Another text, or other labels, for one row; of tokens, their tags. What is None stays."""

    name: Literal[FixName.edit_row] = FixName.edit_row
    row: int
    text: str | None = None
    labels: tuple[str, ...] | None = None


Fix = Annotated[
    DropRows | Trim | Clean | MapLabels | Dedupe | MoveLeaks | Redact | EditRow, Field(discriminator="name")
]


class Change(Frozen):
    """What a fix did: how many rows there were and are, how many of them differ, how many labels."""

    fix: Fix
    rows_before: int
    rows_after: int
    rows_changed: int
    labels_before: int
    labels_after: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """Examples after all fixes, the splits that are given for them, and what each fix did."""

    examples: tuple[Example, ...]
    given: Mapping[int, Split]
    changes: tuple[Change, ...]


def apply(
    examples: Sequence[Example], fixes: Sequence[Fix], *, given: Mapping[int, Split] | None = None
) -> Fixed:
    """The examples after the fixes, one after the other; `given` is row -> split, where the file says so.

    Raises:
        EditUnfit: an edit leaves a row without a text or label, or does not suit the kind of example.
    """
    before, splits = tuple(examples), given or {}
    changes = []
    for fix in fixes:
        after, moved = _fixed(before, fix), splits
        if isinstance(fix, MoveLeaks):
            moved = _without_leaks(before, splits)
        changes.append(_change(fix, before, after, sum(splits[row] is not moved[row] for row in splits)))
        before, splits = after, moved
    return Fixed(before, splits, tuple(changes))


def suggested(finding: Finding) -> Fix | None:
    """The fix for a finding, if there is one that needs no decision of a person's."""
    match finding.fix:
        case FixName.drop_rows:
            return DropRows(rows=tuple(finding.rows))
        case FixName.clean:
            return Clean()
        case FixName.map_labels:
            return MapLabels(labels={name: kept for kept, *others in finding.labels for name in others})
        case FixName.dedupe:
            return Dedupe()
        case FixName.move_leaks:
            return MoveLeaks()
        case FixName.redact:
            return Redact(kinds=(Code(finding.code),))
    return None


def _fixed(examples: tuple[Example, ...], fix: Fix) -> tuple[Example, ...]:
    match fix:
        case DropRows(rows=rows):
            gone = set(rows)
            return tuple(example for example in examples if example.row not in gone)
        case Trim():
            return tuple(with_labels(with_texts(example, _trimmed), _trimmed) for example in examples)
        case Clean():
            return tuple(with_texts(example, cleaned) for example in examples)
        case MapLabels(labels=names):
            return tuple(with_labels(example, lambda old: names.get(old) or old) for example in examples)
        case Dedupe():
            return tuple(_first_of_each(examples))
        case Redact(kinds=kinds):
            return tuple(with_redactions(example, frozenset(kinds)) for example in examples)
        case EditRow():
            return tuple(
                edited(example, fix.text, fix.labels) if example.row == fix.row else example
                for example in examples
            )
    return examples


def _trimmed(text: str) -> str:
    return " ".join(text.split())


def _first_of_each(examples: Sequence[Example]) -> Iterator[Example]:
    seen = set()
    for example in examples:
        key = (example.text, answer(example))
        if key not in seen:
            seen.add(key)
            yield example


def _without_leaks(examples: Sequence[Example], given: Mapping[int, Split]) -> Mapping[int, Split]:
    """The given splits with every row in train whose cluster stands in more than one of them."""
    roots = clusters([example.text for example in examples]).tolist()
    where: dict[int, set[Split]] = {}
    for example, root in zip(examples, roots, strict=True):
        if example.row in given:
            where.setdefault(root, set()).add(given[example.row])
    leaking = {
        example.row
        for example, root in zip(examples, roots, strict=True)
        if example.row in given and len(where[root]) > 1
    }
    return {row: Split.train if row in leaking else split for row, split in given.items()}


def _change(fix: Fix, before: Sequence[Example], after: Sequence[Example], moved: int) -> Change:
    earlier = {example.row: example for example in before}
    changed = sum(earlier[example.row] != example for example in after)
    labels = [len({label for example in some for label in example.labels}) for some in (before, after)]
    return Change(
        fix=fix,
        rows_before=len(before),
        rows_after=len(after),
        rows_changed=changed + moved,
        labels_before=labels[0],
        labels_after=labels[1],
    )
