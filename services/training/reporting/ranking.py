"""How well second texts are put in order for each first text: items for a history, answers to a query.

NDCG by K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002), with the
gain itself and not a power of two, as scikit-learn computes it; of equal scores, the least relevant is first.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.training.examples import PairExample, ScoreExample
from services.training.reporting.report import Baseline, Ranking

# Fewer first texts than these say nothing.
_FEWEST_QUERIES = 5
_TOP = 10
_RECALLS = (1, 3, 10)
_NO = frozenset(
    {"0", "no", "false", "negative", "irrelevant", "unrelated", "disliked", "skipped", "bad", "n", "f"}
)
_YES = frozenset(
    {"1", "yes", "true", "positive", "relevant", "related", "liked", "bought", "clicked", "good"}
)
_RESAMPLES = 200

Numbers = NDArray[np.float64]


def of_labels(
    train: Sequence[PairExample],
    test: Sequence[PairExample],
    labels: Sequence[str],
    probabilities: NDArray[np.float32],
) -> Ranking | None:
    """The ranking by the probability of the relevant label; None where the pairs are no ranking.

    With two labels, one is relevant: the one that is called so, or else the rarer one. More labels are grades
    if all are numbers, and the expected grade ranks.
    """
    if len(labels) == 2:
        relevant = _relevant(labels, Counter(example.label for example in train))
        grades = {label: float(label == relevant) for label in labels}
    elif all(map(_is_number, labels)):
        lowest = min(map(float, labels))
        grades = {label: float(label) - lowest for label in labels}
        relevant = f"grade above {lowest:g}"
    else:
        return None
    scale = np.array([grades[label] for label in labels])
    return _ranked(
        train=[(example.first, example.second, grades[example.label]) for example in train],
        test=[(example.first, example.second, grades[example.label]) for example in test],
        scores=probabilities.astype(np.float64) @ scale,
        relevant=relevant,
    )


def of_scores(
    train: Sequence[ScoreExample], test: Sequence[ScoreExample], answers: Numbers
) -> Ranking | None:
    """The ranking by predicted scores; those above the training mean count as relevant, by how far above."""
    mean = float(np.mean([example.score for example in train]))
    return _ranked(
        train=[(example.first, example.second, max(0.0, example.score - mean)) for example in train],
        test=[(example.first, example.second, max(0.0, example.score - mean)) for example in test],
        scores=answers,
        relevant=f"above {mean:.3g}",
    )


def ndcg(grades: Numbers, scores: Numbers, top: int = _TOP) -> float:
    """The discounted gain of the order that the scores give, by that of the best order."""
    discounts = 1 / np.log2(np.arange(2, min(top, len(grades)) + 2))
    best = np.sort(grades)[::-1][: len(discounts)] @ discounts
    return float(grades[_order(grades, scores)][: len(discounts)] @ discounts / best)


def _ranked(
    *,
    train: Sequence[tuple[str, str, float]],
    test: Sequence[tuple[str, str, float]],
    scores: Numbers,
    relevant: str,
) -> Ranking | None:
    by_first: defaultdict[str, list[int]] = defaultdict(list)
    for at, (first, _, _) in enumerate(test):
        by_first[first].append(at)
    grades = np.array([grade for _, _, grade in test])
    queries = [np.array(rows) for rows in by_first.values() if len(rows) > 1 and _tells(grades[rows])]
    if len(queries) < _FEWEST_QUERIES:
        return None

    def mean_ndcg(by: Numbers) -> float:
        return float(np.mean([ndcg(grades[rows], by[rows]) for rows in queries]))

    # Of each query, whether its candidates are relevant, the first of the order first.
    hits = [grades[rows][_order(grades[rows], scores[rows])] > 0 for rows in queries]
    chance = np.random.default_rng(0).random((_RESAMPLES, len(test)))
    liked: defaultdict[str, float] = defaultdict(float)
    for _, second, grade in train:
        liked[second] += grade
    return Ranking(
        relevant=relevant,
        queries=len(queries),
        candidates=float(np.mean([len(rows) for rows in queries])),
        ndcg_at_10=mean_ndcg(scores),
        mrr=float(np.mean([1 / (1 + int(found.argmax())) for found in hits])),
        recall_at={
            str(top): float(np.mean([found[:top].sum() / found.sum() for found in hits])) for top in _RECALLS
        },
        baselines=[
            Baseline(name="chance", value=float(np.mean([mean_ndcg(draw) for draw in chance]))),
            Baseline(name="popularity", value=mean_ndcg(np.array([liked[second] for _, second, _ in test]))),
            Baseline(
                name="shared-words",
                value=mean_ndcg(np.array([_shared(first, second) for first, second, _ in test])),
            ),
        ],
    )


def _order(grades: Numbers, scores: Numbers) -> NDArray[np.int64]:
    """The places of the candidates, the highest score first, and of equal ones the lowest grade."""
    return np.lexsort((grades, -scores))


def _tells(grades: Numbers) -> bool:
    """Whether an order of these can be good or bad."""
    return bool(grades.max() > grades.min())


def _shared(first: str, second: str) -> float:
    """The share of the second text's words that are in the first."""
    words = set(second.casefold().split())
    return len(words & set(first.casefold().split())) / max(1, len(words))


def _relevant(labels: Sequence[str], counts: Counter[str]) -> str:
    named = {label: label.strip().casefold() for label in labels}
    for label, other in (labels, labels[::-1]):
        if named[label] in _YES or named[other] in _NO or named[other] == f"not {named[label]}":
            return label
    return min(labels, key=lambda label: (counts[label], label))


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True
