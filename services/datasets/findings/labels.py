"""Labels that are unknown, nearly the same, too rare, or out of balance."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from services.datasets.findings.catalogue import Code
from services.datasets.findings.corpus import Corpus
from services.datasets.findings.finding import Finding
from services.datasets.limits import MAX_LABELS

# What Google's Vertex AI asks of each label as a minimum (docs: "Prepare text training data").
LEAST_ROWS = 10
# Rows of the most frequent label for one of the rarest, before it is worth a word.
_UNBALANCED = 10
# Two labels a letter apart are a slip where one is this much rarer; otherwise somebody means both.
_SLIP = 5
_SLIP_CHARACTERS = 5
_NAMED = 5


def check(corpus: Corpus, *, known: Collection[str] = ()) -> Iterator[Finding]:
    """All about labels; `known` are those of an earlier version, if there is one.

    Of more labels than are accepted nothing is said: it is the wrong column, which is told elsewhere.
    """
    counts = Counter(label for example in corpus.examples for label in example.labels)
    if len(counts) > MAX_LABELS:
        return
    if known:
        yield from _about(corpus, Code.unknown_label, counts, sorted(counts.keys() - set(known)))
    if groups := similar(counts):
        others = [label for _, *rest in groups for label in rest]
        detail = "; ".join(
            " = ".join(f"“{label}” ({counts[label]:,})" for label in group) for group in groups[:_NAMED]
        )
        yield from _about(corpus, Code.similar_labels, counts, others, f"{detail}.", groups)
    rare = sorted(
        (label for label in counts if counts[label] < LEAST_ROWS), key=lambda name: (counts[name], name)
    )
    yield from _about(corpus, Code.rare_label, counts, rare)
    ranked = counts.most_common()
    if ranked and ranked[0][1] >= _UNBALANCED * ranked[-1][1]:
        (most, many), *_, (least, few) = ranked
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
            known = by_spelling.get(meant)
            if known and meant != spelling and _is_slip(counts, known[0], labels[0]):
                known += by_spelling.pop(spelling)
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
    if not labels:
        return
    meant = set(labels)
    rows = [at for at, example in enumerate(corpus.examples) if not meant.isdisjoint(example.labels)]
    named = ", ".join(f"“{label}” ({counts[label]:,})" for label in labels[:_NAMED])
    more = f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else ""
    yield from corpus.finding(
        code, rows, detail=detail or f"{named}{more}.", labels=groups or tuple((name,) for name in labels)
    )


def _spelling(label: str) -> str:
    folded = unicodedata.normalize("NFKC", label).casefold()
    return re.sub(r"[\W_]+", "", folded) or folded


def _variants(spelling: str) -> list[str]:
    """The spelling as it is and with each letter left out: two of one edit have one of these in common."""
    if len(spelling) < _SLIP_CHARACTERS:
        return [spelling]
    return [spelling, *(spelling[:at] + spelling[at + 1 :] for at in range(len(spelling)))]


def _is_slip(counts: Counter[str], meant: str, written: str) -> bool:
    # A digit more or less is never a slip: step 1, step 2.
    digits = [re.findall(r"\d+", label) for label in (meant, written)]
    return counts[meant] >= _SLIP * counts[written] and digits[0] == digits[1]
