"""Labels that are unknown, nearly the same, too rare, or out of balance."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from services.datasets.findings.catalogue import Code
from services.datasets.findings.corpus import Corpus
from services.datasets.findings.finding import Finding

# What Google's Vertex AI asks of each label as a minimum (docs: "Prepare text training data").
LEAST_ROWS = 10
# Rows of the most frequent label for one of the rarest, before it is worth a word.
_UNBALANCED = 10
# Two labels a letter apart are a slip where one is this much rarer; otherwise somebody means both.
_SLIP = 5
_SLIP_CHARACTERS = 5
_NAMED = 5


def check(corpus: Corpus, *, known: Collection[str] = ()) -> Iterator[Finding]:
    """All about labels; `known` are those of an earlier version, if there is one."""
    counts = Counter(label for example in corpus.examples for label in example.labels)
    if known:
        yield from _about(corpus, Code.unknown_label, counts, sorted(counts.keys() - set(known)))
    if groups := similar(counts):
        others = [label for _, *rest in groups for label in rest]
        detail = "; ".join(
            " = ".join(f"“{label}” ({counts[label]:,})" for label in group) for group in groups[:_NAMED]
        )
        yield from _about(corpus, Code.similar_labels, counts, others, f"{detail}.", groups)
    rare = [
        label for label in sorted(counts, key=lambda name: (counts[name], name)) if counts[label] < LEAST_ROWS
    ]
    yield from _about(corpus, Code.rare_label, counts, rare)
    if counts and max(counts.values()) >= _UNBALANCED * min(counts.values()):
        (most, many), (least, few) = (
            counts.most_common(1)[0],
            min(counts.items(), key=lambda item: item[::-1]),
        )
        detail = f"“{most}” has {many:,} and “{least}” has {few:,}, one for {many // few:,}."
        yield corpus.finding_of_all(Code.label_imbalance, detail)


def similar(counts: Counter[str]) -> tuple[tuple[str, ...], ...]:
    """Groups of labels that are one but for case, spaces, punctuation or a slip, the most frequent first."""
    ranked = sorted(counts, key=lambda label: (-counts[label], label))
    by_spelling: dict[str, list[str]] = defaultdict(list)
    for label in ranked:
        by_spelling[_spelling(label)].append(label)
    by_slip: dict[str, str] = {}
    for spelling, labels in list(by_spelling.items()):
        for variant in _variants(spelling):
            meant = by_slip.setdefault(variant, spelling)
            if (
                meant in by_spelling
                and meant != spelling
                and _is_slip(counts, by_spelling[meant][0], labels[0])
            ):
                by_spelling[meant] += by_spelling.pop(spelling)
                break
    return tuple(tuple(labels) for labels in by_spelling.values() if len(labels) > 1)


def _about(
    corpus: Corpus,
    code: Code,
    counts: Counter[str],
    labels: list[str],
    detail: str = "",
    groups: tuple[tuple[str, ...], ...] = (),
) -> Iterator[Finding]:
    """A finding about the rows that have any of the labels."""
    meant = set(labels)
    rows = [
        at for at, example in enumerate(corpus.examples) if meant and not meant.isdisjoint(example.labels)
    ]
    named = ", ".join(f"“{label}” ({counts[label]:,})" for label in labels[:_NAMED])
    more = f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else ""
    yield from corpus.finding(
        code, rows, detail=detail or f"{named}{more}.", labels=groups or tuple((name,) for name in labels)
    )


def _spelling(label: str) -> str:
    folded = unicodedata.normalize("NFKC", label).casefold()
    return re.sub(r"[\W_]+", "", folded) or folded


def _variants(spelling: str) -> set[str]:
    """The spelling with each letter left out, and as it is: two of one edit have one of these in common."""
    if len(spelling) < _SLIP_CHARACTERS:
        return {spelling}
    return {spelling} | {spelling[:at] + spelling[at + 1 :] for at in range(len(spelling))}


def _is_slip(counts: Counter[str], meant: str, written: str) -> bool:
    # A digit more or less is never a slip: step 1, step 2.
    digits = [re.findall(r"\d+", label) for label in (meant, written)]
    return counts[meant] >= _SLIP * counts[written] and digits[0] == digits[1]
