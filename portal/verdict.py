"""What a report comes down to: sentences and small tables, computed from its figures."""

from dataclasses import dataclass

from portal.format import percent
from services.registry.gate import Judgement
from services.training.reporting.report import Confusion, Difference, Report
from services.training.reporting.significance import SURE

METRIC_NAMES = {"accuracy": "Accuracy", "f1": "F1", "r2": "R²", "token_likelihood": "Token likelihood"}
# Shares of rows or entities; the others are coefficients.
SHARES = frozenset({"accuracy", "f1", "token_likelihood"})
# The names that runs give simple methods, and what people call them.
METHODS = {
    "base-model": "The base model",
    "majority": "Always the most frequent label",
    "tfidf-logistic-regression": "Counting words",
    "most-frequent-tag": "Each word’s most frequent tag",
    "quick": "The Quick model of the same run",
    "most-frequent-labels": "Always the most frequent labels",
    "mean": "Always the mean score",
    "tfidf-ridge": "Counting words",
    "chance": "Any order",
    "popularity": "The most liked first",
    "shared-words": "The most words in common first",
}


def figure(metric: str, value: float) -> str:
    """A metric's value as people read it: "93.4 %", or "0.71" for a coefficient."""
    return percent(value) if metric in SHARES else f"{value:.2f}".replace("-", "−")


def difference(metric: str, by: float) -> str:
    """How far two values of a metric are apart: "+1.2 points", or "+0.03" for a coefficient."""
    return f"{by * 100:+.1f} points" if metric in SHARES else f"{by:+.2f}"


QUICK = "quick"
_KEYWORDS = ("tfidf-logistic-regression", "most-frequent-tag", "majority")
# With fewer test rows than this, no figure means much.
FEW_ROWS = 30


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
    if report.test_rows < FEW_ROWS:
        return f"Only {report.test_rows} test rows: the true value may be far off. Add labelled rows to know."
    simple = [baseline for baseline in report.baselines if baseline.name != QUICK]
    if not simple:
        return "There is no simple method to compare it with."
    best = max(simple, key=lambda baseline: baseline.value)
    keywords = method(best.name).lower() if best.name not in _KEYWORDS else "keywords"
    if report.value <= best.value:
        return f"Not better than {keywords}: do not pay for this."
    by = difference(report.metric, report.value - best.value).lstrip("+")
    if best.against is None:
        sure = report.interval[0] > best.value
        return f"Better than {keywords}, {'sure' if sure else 'not sure'}: {by}."
    if best.against.p_value < SURE and best.against.interval[0] > 0:
        return f"Better than {keywords}, sure: {by} on the same rows, {chance(best.against)}."
    return (
        f"Better than {keywords}, not sure: {by} on the same rows, {chance(best.against)}. "
        "More test rows would tell."
    )


def chance(apart: Difference) -> str:
    """How likely chance alone makes such a difference: "by chance less than once in 1,000"."""
    if apart.p_value < 0.001:
        return "by chance less than once in 1,000"
    return f"by chance {apart.p_value * 100:.{1 if apart.p_value < 0.1 else 0}f} times in 100"


def compared(judged: Judgement) -> str:
    """A version beside the one in production, in a sentence."""
    if judged.difference is None or judged.value is None or judged.against_value is None:
        return "The two versions have no test rows in common, so nobody can say which is better."
    words = {1: "better than", 0: "as good as", -1: "worse than"}
    sign = (judged.difference.value > 0) - (judged.difference.value < 0)
    return (
        f"On the same {judged.rows:,} test rows it reaches {percent(judged.value)} and production "
        f"{percent(judged.against_value)}: {words[sign]} what is there"
        + (f", {chance(judged.difference)}." if sign else ".")
    )


def confused_pairs(confusion: Confusion, *, limit: int = 15) -> list[ConfusedPair]:
    """The mistakes that happen most, most frequent first."""
    pairs = [
        ConfusedPair(confusion.labels[truth], confusion.labels[predicted], count, count / sum(row))
        for truth, row in enumerate(confusion.counts)
        for predicted, count in enumerate(row)
        if count and truth != predicted
    ]
    return sorted(pairs, key=lambda pair: (-pair.rows, -pair.share, pair.truth, pair.predicted))[:limit]
