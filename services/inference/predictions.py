"""What a model is asked, and what it answers."""

from pydantic import BaseModel, ConfigDict


class Pair(BaseModel):
    """Two texts that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    second: str


Input = str | Pair


def characters(asked: Input) -> int:
    """The length of what a model is asked."""
    return len(asked.first) + len(asked.second) if isinstance(asked, Pair) else len(asked)


class LabelPrediction(BaseModel):
    """The label of a text or a pair; `scores` holds the probability of every label and sums to one.

    Below the version's threshold the label is withheld: None, and `score` is that of the most likely one.
    """

    model_config = ConfigDict(frozen=True)

    label: str | None
    abstained: bool = False
    score: float
    scores: dict[str, float]


class LabelsPrediction(BaseModel):
    """The labels of a text: each whose score reaches its threshold, the most probable first; maybe none.

    `scores` and `thresholds` hold those of every label; `confidence` is how likely each yes and no is right,
    all together. Below the version's own threshold all labels are withheld.
    """

    model_config = ConfigDict(frozen=True)

    labels: list[str]
    abstained: bool = False
    confidence: float
    scores: dict[str, float]
    thresholds: dict[str, float]


class ScorePrediction(BaseModel):
    """The number that belongs to a text or a pair; four of five are off by `error` at most."""

    model_config = ConfigDict(frozen=True)

    score: float
    error: float


class Entity(BaseModel):
    """A stretch of the input: `text == input[start:end]`, `end` exclusive, in characters."""

    model_config = ConfigDict(frozen=True)

    type: str
    text: str
    start: int
    end: int
    # Mean probability of the entity's words.
    score: float


class EntityPrediction(BaseModel):
    """The entities of a text, in their order; they never overlap.

    Those below the version's threshold are `withheld`; where that leaves none, the version has abstained.
    """

    model_config = ConfigDict(frozen=True)

    entities: list[Entity]
    withheld: list[Entity] = []
    abstained: bool = False


Prediction = LabelPrediction | LabelsPrediction | ScorePrediction | EntityPrediction
