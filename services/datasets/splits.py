"""Train, validation and test: seeded, by label, and honest about copies and rare labels."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from services.datasets.errors import TooFewRows
from services.datasets.examples import Example
from services.datasets.limits import MIN_TEXTS_TO_SPLIT

HELD_OUT_SHARE = 0.1


class Split(StrEnum):
    """What an example is for."""

    train = "train"
    validation = "validation"
    test = "test"


@dataclass(frozen=True, slots=True)
class Splits:
    """The examples of each split, in the file's order; `train_only` names the labels in train alone."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]
    train_only: tuple[str, ...]

    def of(self, which: Split) -> tuple[Example, ...]:
        """The examples of one split."""
        return {Split.train: self.train, Split.validation: self.validation, Split.test: self.test}[which]

    @property
    def rows(self) -> dict[str, int]:
        """Split -> examples."""
        return {which.value: len(self.of(which)) for which in Split}

    @property
    def labels(self) -> dict[str, dict[str, int]]:
        """Label (or entity type) -> split -> how often, the most frequent label first."""
        counts = {which: _count_labels(self.of(which)) for which in Split}
        every = sum(counts.values(), Counter[str]())
        ranked = sorted(every, key=lambda label: (-every[label], label))
        return {label: {which.value: counts[which][label] for which in Split} for label in ranked}


def split(examples: Sequence[Example], *, seed: int, test_share: float = HELD_OUT_SHARE) -> Splits:
    """Divide examples by label; the same examples and seed always give the same splits.

    Copies of a text stay together, so that no test row was trained on. A label with fewer than three
    different texts stays in train, and every label keeps a row there. Validation takes a tenth of the rows,
    test the `test_share`, which is 0 for whoever brings a test file of their own. A sentence counts under the
    rarest type of entity in it.

    Raises:
        TooFewRows: validation or test would be empty.
    """
    frequency = _count_labels(examples)
    strata: dict[str, list[list[Example]]] = defaultdict(list)
    for copies in _copies(examples):
        # Copies may contradict one another, sentences hold several types: the rarest needs the most care.
        rarest = min(_labels(copies), key=lambda label: (frequency[label], label), default="")
        strata[rarest].append(copies)

    held_out = {Split.test: test_share, Split.validation: HELD_OUT_SHARE}
    where: dict[int, Split] = {}
    for name in sorted(strata):
        # A stratum's fate does not depend on which others there are.
        for copies, which in _deal(strata[name], held_out, Random(f"{seed}:{name}")):
            where.update((example.row, which) for example in copies)
    _keep_every_label_in_train(examples, where)

    parts = {which: tuple(e for e in examples if where[e.row] is which) for which in Split}
    if not parts[Split.validation] or (test_share and not parts[Split.test]):
        raise TooFewRows
    elsewhere = _labels(parts[Split.validation]) | _labels(parts[Split.test])
    return Splits(
        train=parts[Split.train],
        validation=parts[Split.validation],
        test=parts[Split.test],
        train_only=tuple(sorted(_labels(examples) - elsewhere)),
    )


def _copies(examples: Iterable[Example]) -> list[list[Example]]:
    by_text: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_text[example.text].append(example)
    return list(by_text.values())


def _deal(
    groups: list[list[Example]], shares: dict[Split, float], random: Random
) -> list[tuple[list[Example], Split]]:
    if len(groups) < MIN_TEXTS_TO_SPLIT:
        return [(copies, Split.train) for copies in groups]
    rows = sum(map(len, groups))
    left = random.sample(groups, len(groups))
    dealt: list[tuple[list[Example], Split]] = []
    for others, (which, share) in zip((2, 1), shares.items(), strict=True):
        if share:
            taken = _take(left, max(1, round(rows * share)), len(left) - others)
            left = [copies for at, copies in enumerate(left) if at not in taken]
            dealt += [(copies, which) for copies in taken.values()]
    return dealt + [(copies, Split.train) for copies in left]


def _take(groups: list[list[Example]], rows: int, most: int) -> dict[int, list[Example]]:
    """Up to `most` groups with up to `rows` rows together, but one at least; position -> group."""
    taken: dict[int, list[Example]] = {}
    for at, copies in enumerate(groups):
        if len(copies) <= rows and len(taken) < most:
            taken[at] = copies
            rows -= len(copies)
    if not taken:
        smallest = min(range(len(groups)), key=lambda at: len(groups[at]))
        taken[smallest] = groups[smallest]
    return taken


def _keep_every_label_in_train(examples: Sequence[Example], where: dict[int, Split]) -> None:
    # A label can have slipped out where it never was the rarest of its rows.
    missing = _labels(examples) - _labels(e for e in examples if where[e.row] is Split.train)
    moved = {e.text for e in examples if missing.intersection(e.labels)}
    for example in examples:
        if example.text in moved:
            where[example.row] = Split.train


def _labels(examples: Iterable[Example]) -> set[str]:
    return {label for example in examples for label in example.labels}


def _count_labels(examples: Iterable[Example]) -> Counter[str]:
    return Counter(label for example in examples for label in example.labels)
