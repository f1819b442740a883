"""What changed from one version of a data set to the next: rows that came, went, or say something else."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.datasets.examples import Example
from services.datasets.findings.copies import answer
from services.datasets.split import Split

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Differing:
    """Rows of one kind: how many, and the first of them as they are in the newer version, if they are."""

    count: int
    first: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows by their text: only in the newer, only in the older, with another answer, or in another split.

    A text that stands in a version several times counts so often.
    """

    added: Differing
    removed: Differing
    relabelled: Differing
    moved: Differing


def differ(older: Mapping[Split, Sequence[Example]], newer: Mapping[Split, Sequence[Example]]) -> Difference:
    """What is different in the newer of two versions, each split -> examples."""
    left: dict[str, list[tuple[Split, Example]]] = defaultdict(list)
    for split, examples in older.items():
        for example in examples:
            left[example.text].append((split, example))
    added: list[Example] = []
    relabelled: list[Example] = []
    moved: list[Example] = []
    for split, examples in newer.items():
        for example in examples:
            before = left.get(example.text)
            if not before:
                added.append(example)
                continue
            # Of several with the same text, the one that says the same is meant.
            at = next((at for at, (_, old) in enumerate(before) if answer(old) == answer(example)), 0)
            old_split, old = before.pop(at)
            if answer(old) != answer(example):
                relabelled.append(example)
            if old_split is not split:
                moved.append(example)
    removed = [example for before in left.values() for _, example in before]
    return Difference(*(_told(examples) for examples in (added, removed, relabelled, moved)))


def _told(examples: list[Example]) -> Differing:
    examples.sort(key=lambda example: example.row)
    return Differing(len(examples), tuple(examples[:_SHOWN]))
