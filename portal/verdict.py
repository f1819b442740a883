"""What a report comes down to: sentences and small tables, computed from its figures."""

from dataclasses import dataclass

from services.training.report import Confusion, Report

METRIC_NAMES = {"accuracy": "Accuracy", "f1": "F1", "r2": "R²", "token_likelihood": "Token likelihood"}
# Shares of rows or entities; the others are coefficients.
_SHARES = frozenset({"accuracy", "f1"})
# The names that runs give simple methods, and what people call them.
METHODS = {
    "base-model": "The base model, as it came",
    "majority": "Always the most frequent label",
    "tfidf-logistic-regression": "Counting words",
    "most-frequent-tag": "Each word’s most frequent tag",
    "most-frequent-labels": "Always the most frequent labels",
    "mean": "Always the mean score",
    "tfidf-ridge": "Counting words",
    "chance": "Any order",
    "popularity": "The most liked first",
    "shared-words": "The most words in common first",
}


def figure(metric: str, value: float) -> str:
    """A metric's value as people read it: "93.4 %", or "0.71" for a coefficient."""
    return f"{value:.1%}".replace("%", " %") if metric in _SHARES else f"{value:.2f}".replace("-", "−")


def difference(metric: str, by: float) -> str:
    """How far two values of a metric are apart: "+1.2 points", or "+0.03" for a coefficient."""
    return f"{by * 100:+.1f} points" if metric in _SHARES else f"{by:+.2f}"


def method(name: str) -> str:
    """What people call a simple method."""
    return METHODS.get(name, name)


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Rows of one label that were given another; `share` is their part of the true label's rows."""

    truth: str
    predicted: str
    rows: int
    share: float


def headline(report: Report) -> str:
    """Is the model worth using? One sentence."""
    best = max((baseline.value for baseline in report.baselines), default=0.0)
    low, _ = report.interval
    if report.test_rows < 30:
        return f"Only {report.test_rows} test rows: the true value may be far off. Add labelled rows to know."
    if report.value <= best:
        return "Not worth using yet: a simple method does as well on the same rows."
    if low <= best:
        return "Better than the simple methods, but within the margin of chance: more test rows would tell."
    return "Clearly better than the simple methods on rows it has never seen."


def confused_pairs(confusion: Confusion, *, limit: int = 15) -> list[ConfusedPair]:
    """The mistakes that happen most, most frequent first."""
    pairs = [
        ConfusedPair(confusion.labels[truth], confusion.labels[predicted], count, count / sum(row))
        for truth, row in enumerate(confusion.counts)
        for predicted, count in enumerate(row)
        if count and truth != predicted
    ]
    return sorted(pairs, key=lambda pair: (-pair.rows, -pair.share, pair.truth, pair.predicted))[:limit]
