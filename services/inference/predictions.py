"""What a model answers."""

from pydantic import BaseModel, ConfigDict


class LabelPrediction(BaseModel):
    """The label of a text; `scores` holds the probability of every label and sums to one."""

    model_config = ConfigDict(frozen=True)

    label: str
    score: float
    scores: dict[str, float]


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
    """The entities of a text, in their order; they never overlap."""

    model_config = ConfigDict(frozen=True)

    entities: list[Entity]


Prediction = LabelPrediction | EntityPrediction
