"""Train, validation and test: seeded, by label, and honest about copies and rare labels."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np

from services.datasets.errors import TooFewRows
from services.datasets.examples import Example, PairExample, ScoreExample
from services.datasets.limits import MIN_TEXTS_TO_SPLIT
from services.datasets.near import Positions, clusters, copies, joined
from services.datasets.split import Split

HELD_OUT_SHARE = 0.1
# With fewer, each would be a large part of the rows.
_FEWEST_FIRST_TEXTS = 20
# Positions of examples that are of one split: copies, near copies, or a group that was asked for.
Bundle = list[int]


@dataclass(frozen=True, slots=True)
class Splits:
    """The examples of each split, in the file's order; `train_only` names the labels in train alone.

    `near` are the clusters of near copies, as `clusters` gives them, of all examples in the file's order.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]
    train_only: tuple[str, ...]
    near: Positions | None = field(default=None, compare=False, repr=False)

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


def split(
    examples: Sequence[Example],
    *,
    seed: int,
    test_share: float = HELD_OUT_SHARE,
    given: Mapping[int, Split] | None = None,
    groups: Mapping[int, str] | None = None,
    frozen: Collection[str] = (),
) -> Splits:
    """Divide examples by label; the same examples and seed always give the same splits.

    Copies and near copies of a text stay together, so that no test row was trained on, and so do the rows
    that `groups` (row -> name) puts together. A label with fewer than three different texts stays in train,
    and every label keeps a row there. Validation takes a tenth of the rows, test the `test_share`, which is 0
    for whoever brings a test file of their own. A sentence counts under the rarest type of entity in it.

    Pairs that begin with the same text stay together too, as all that a person was offered does, or all that
    was asked of one text; but not where only a handful of first texts come again and again.

    Splits that are `given` (row -> split) are kept, and what they lack is divided off train and the rest. The
    texts of `frozen`, an earlier version's test split, are the test with all their near copies, and nothing
    is added to it.

    Where near copies leave nothing to judge by, only exact copies are kept together; `examine` then tells of
    the leakage.

    Raises:
        TooFewRows: validation or test would be empty.
    """
    texts = [*(example.text for example in examples), *frozen]

    def divided(alike: Positions, groups: Mapping[int, str] | None) -> Splits:
        together = _together(alike, examples, groups)
        return _divide(examples, together, alike[len(examples) :], seed, test_share, given)

    near = clusters(texts)
    try:
        splits = divided(near, groups or _by_first_text(examples))
    except TooFewRows:
        splits = divided(copies(texts), groups)
    return replace(splits, near=near[: len(examples)])


def _divide(
    examples: Sequence[Example],
    together: Positions,
    frozen: Positions,
    seed: int,
    test_share: float,
    given: Mapping[int, Split] | None,
) -> Splits:
    bundles: dict[int, Bundle] = defaultdict(list)
    for at, root in enumerate(together[: len(examples)].tolist()):
        bundles[root].append(at)
    said = {at: given[example.row] for at, example in enumerate(examples) if given and example.row in given}
    where: dict[int, Split] = {at: which for at, which in said.items() if which is not Split.train}
    for root in set(together[frozen].tolist()):
        where |= dict.fromkeys(bundles.get(root, ()), Split.test)
    held_out = {Split.test: test_share, Split.validation: HELD_OUT_SHARE}
    taken = set(where.values())
    shares = {which: 0.0 if which in taken else share for which, share in held_out.items()}
    if not any(shares.values()):
        where = said | where
    free = _settle(bundles.values(), said, where)

    for name, stratum in sorted(_strata(examples, free).items()):
        # A stratum's fate does not depend on which others there are.
        for bundle, which in _deal(stratum, shares, Random(f"{seed}:{name}")):
            where |= dict.fromkeys(bundle, which)
    _keep_every_label_in_train(examples, free, where)

    parts = {which: tuple(e for at, e in enumerate(examples) if where[at] is which) for which in Split}
    if not (parts[Split.train] and parts[Split.validation]) or (test_share and not parts[Split.test]):
        raise TooFewRows
    elsewhere = _labels(parts[Split.validation]) | _labels(parts[Split.test])
    return Splits(
        train=parts[Split.train],
        validation=parts[Split.validation],
        test=parts[Split.test],
        train_only=tuple(sorted(_labels(examples) - elsewhere)),
    )


def _together(roots: Positions, examples: Sequence[Example], groups: Mapping[int, str] | None) -> Positions:
    """The roots after joining the examples of each group."""
    if not groups:
        return roots
    seen: dict[str, int] = {}
    pairs = [
        (at, seen.setdefault(groups[example.row], at))
        for at, example in enumerate(examples)
        if example.row in groups
    ]
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    return joined(roots, left, right)


def _by_first_text(examples: Sequence[Example]) -> dict[int, str]:
    """Row -> first text, of pairs in which these come again."""
    pairs = [one for one in examples if isinstance(one, PairExample | ScoreExample) and one.second]
    firsts = {one.first for one in pairs}
    if not _FEWEST_FIRST_TEXTS <= len(firsts) < len(pairs):
        return {}
    return {one.row: one.first for one in pairs}


def _settle(bundles: Iterable[Bundle], said: Mapping[int, Split], where: dict[int, Split]) -> list[Bundle]:
    """Gives the bundles of which nothing is settled; what else is open goes where its copies are held out."""
    free = []
    for bundle in bundles:
        settled = {where[at] for at in bundle if at in where}
        if not settled:
            free.append(bundle)
            continue
        furthest = max(settled, key=list(Split).index)
        where |= {at: said.get(at, furthest) for at in bundle if at not in where}
    return free


def _strata(examples: Sequence[Example], bundles: Iterable[Bundle]) -> dict[str, list[Bundle]]:
    """Label -> the bundles that count under it."""
    frequency = _count_labels(examples)
    strata: dict[str, list[Bundle]] = defaultdict(list)
    for bundle in bundles:
        # Copies may contradict one another, sentences hold several types: the rarest needs the most care.
        labels = _labels(examples[at] for at in bundle)
        strata[min(labels, key=lambda label: (frequency[label], label), default="")].append(bundle)
    return strata


def _deal(bundles: list[Bundle], shares: dict[Split, float], random: Random) -> list[tuple[Bundle, Split]]:
    if len(bundles) < MIN_TEXTS_TO_SPLIT:
        return [(bundle, Split.train) for bundle in bundles]
    rows = sum(map(len, bundles))
    left = random.sample(bundles, len(bundles))
    dealt: list[tuple[Bundle, Split]] = []
    for others, (which, share) in zip((2, 1), shares.items(), strict=True):
        if share:
            taken = _take(left, max(1, round(rows * share)), len(left) - others)
            left = [bundle for at, bundle in enumerate(left) if at not in taken]
            dealt += [(bundle, which) for bundle in taken.values()]
    return dealt + [(bundle, Split.train) for bundle in left]


def _take(bundles: list[Bundle], rows: int, most: int) -> dict[int, Bundle]:
    """Up to `most` bundles with up to `rows` rows together, but one at least; position -> bundle."""
    taken: dict[int, Bundle] = {}
    for at, bundle in enumerate(bundles):
        if len(bundle) <= rows and len(taken) < most:
            taken[at] = bundle
            rows -= len(bundle)
    if not taken:
        smallest = min(range(len(bundles)), key=lambda at: len(bundles[at]))
        taken[smallest] = bundles[smallest]
    return taken


def _keep_every_label_in_train(
    examples: Sequence[Example], free: Iterable[Bundle], where: dict[int, Split]
) -> None:
    # A label can have slipped out where it never was the rarest of its rows.
    trained = _labels(example for at, example in enumerate(examples) if where[at] is Split.train)
    missing = _labels(examples) - trained
    for bundle in free if missing else ():
        if missing.intersection(_labels(examples[at] for at in bundle)):
            where |= dict.fromkeys(bundle, Split.train)


def _labels(examples: Iterable[Example]) -> set[str]:
    return {label for example in examples for label in example.labels}


def _count_labels(examples: Iterable[Example]) -> Counter[str]:
    return Counter(label for example in examples for label in example.labels)
