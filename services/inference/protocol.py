"""What the API answers to whoever asks for predictions; free of torch, so that the portal can read it."""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict

from services.inference.predictions import (
    EntityPrediction,
    Input,
    LabelPrediction,
    LabelsPrediction,
    Prediction,
    ScorePrediction,
    characters,
)


class LabelItem(LabelPrediction):
    """The label of the text or pair at `index` of the request's input."""

    index: int


class LabelsItem(LabelsPrediction):
    """The labels of the text at `index` of the request's input."""

    index: int


class ScoreItem(ScorePrediction):
    """The number that belongs to the text or pair at `index` of the request's input."""

    index: int


class EntityItem(EntityPrediction):
    """The entities of the text at `index` of the request's input."""

    index: int


Item = LabelItem | LabelsItem | ScoreItem | EntityItem
_ITEMS: dict[type[Prediction], type[Item]] = {
    LabelPrediction: LabelItem,
    LabelsPrediction: LabelsItem,
    ScorePrediction: ScoreItem,
    EntityPrediction: EntityItem,
}


class PredictionUsage(BaseModel):
    """What the request counts for: one prediction for each text or pair."""

    model_config = ConfigDict(frozen=True)

    predictions: int
    characters: int


class Answer(BaseModel):
    """The predictions of one request, in the order of its texts.

    `model` repeats the request's; `model_version` is the id of the version that answered.
    """

    model_config = ConfigDict(frozen=True)

    object: str = "list"
    model: str
    model_version: str
    data: list[Item]
    usage: PredictionUsage

    @classmethod
    def of(
        cls, asked: Sequence[Input], predictions: Sequence[Prediction], *, model: str, model_version: str
    ) -> Self:
        """The answer that carries the predictions of what was asked."""
        data = [
            _ITEMS[type(prediction)](index=index, **dict(prediction))
            for index, prediction in enumerate(predictions)
        ]
        usage = PredictionUsage(predictions=len(asked), characters=sum(map(characters, asked)))
        return cls(model=model, model_version=model_version, data=data, usage=usage)
