"""How much data there is, and how much is enough for its task."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median_low

from services.datasets.examples import ChatExample, Example, PlainExample, ScoreExample, TokenExample
from services.datasets.findings.catalogue import Code
from services.datasets.findings.corpus import Corpus
from services.datasets.findings.finding import Finding

_VERTEX = "Google Vertex AI, Prepare text training data"
_GURURANGAN = "Our own rule; task-adaptive pretraining was shown with some hundreds of texts and more"
_OPENAI = "OpenAI, Supervised fine-tuning"


@dataclass(frozen=True, slots=True)
class Meter:
    """How much there is of what counts, beside how much is the least, a fair start and plenty.

    `have` is that of the label in the middle, of all labels by their number of rows. `source` says who asks
    for so many.
    """

    unit: str
    have: int
    least: int
    fair: int
    plenty: int
    source: str

    @property
    def verdict(self) -> str:
        """The same in words."""
        if self.have < self.least:
            return f"{self.have:,} {self.unit}: too few to learn from. Aim at {self.fair:,}."
        if self.have < self.fair:
            return f"{self.have:,} {self.unit}: enough for a first try. Aim at {self.fair:,}."
        if self.have < self.plenty:
            return f"{self.have:,} {self.unit}: a fair start. From {self.plenty:,} on, more helps little."
        return f"{self.have:,} {self.unit}: plenty."


def meter(examples: Sequence[Example]) -> Meter:
    """How much of what counts for the task of these examples."""
    kind = type(examples[0]) if examples else None
    if kind is ChatExample:
        return Meter("conversations", len(examples), 10, 50, 100, _OPENAI)
    if kind is ScoreExample:
        return Meter("rows", len(examples), 100, 500, 5_000, "Our own rule; the STS benchmark has 5,749")
    if kind is PlainExample:
        return Meter("texts", len(examples), 100, 1_000, 10_000, _GURURANGAN)
    counts = Counter(label for example in examples for label in example.labels)
    have = median_low(counts.values()) if counts else 0
    unit = "entities of a typical type" if kind is TokenExample else "rows of a typical label"
    return Meter(unit, have, 10, 50, 200, _VERTEX)


def check(corpus: Corpus) -> Iterator[Finding]:
    """Less than a fair start."""
    measured = meter(corpus.examples)
    if measured.have < measured.fair:
        yield corpus.finding_of_all(Code.too_little_data, measured.verdict)
