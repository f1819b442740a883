"""What the API answers to whoever asks for predictions; free of torch, so that the portal can read it."""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict

from services.inference.predictions import EntityPrediction, LabelPrediction, Prediction


class LabelItem(LabelPrediction):
    """The label of the text at `index` of the request's input."""

    index: int


class EntityItem(EntityPrediction):
    """The entities of the text at `index` of the request's input."""

    index: int


class PredictionUsage(BaseModel):
    """What the request counts for: one prediction for each text."""

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
    data: list[LabelItem | EntityItem]
    usage: PredictionUsage

    @classmethod
    def of(
        cls, texts: Sequence[str], predictions: Sequence[Prediction], *, model: str, model_version: str
    ) -> Self:
        """The answer that carries the predictions of some texts."""
        data: list[LabelItem | EntityItem] = []
        for index, prediction in enumerate(predictions):
            item = LabelItem if isinstance(prediction, LabelPrediction) else EntityItem
            data.append(item(index=index, **dict(prediction)))
        usage = PredictionUsage(predictions=len(texts), characters=sum(map(len, texts)))
        return cls(model=model, model_version=model_version, data=data, usage=usage)
