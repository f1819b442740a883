"""Predictions: the one door for the portal and for customers' programs, so that each is counted once."""

from time import perf_counter
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from services import clock, metrics
from services.accounts.scope import Member
from services.api.allowance import allowances
from services.api.deps import Caller, RequestId
from services.api.limits import MAX_TEXT_CHARACTERS, MAX_TEXTS
from services.api.refusals import BadRequest
from services.api.shapes import Text
from services.api.threads import predictions
from services.db import reading, transaction
from services.errors import TooLarge
from services.inference import service as inference
from services.inference.predictions import Input, Pair
from services.inference.protocol import Answer
from services.metering import service as metering
from services.metering import usage
from services.registry import service as registry
from services.registry import thresholds

router = APIRouter(prefix="/v1/predict", tags=["predictions"])


class NothingToPredict(BadRequest):
    """No text, or one of nothing but white space."""

    code = "empty_input"

    def __init__(self, index: int | None) -> None:
        which = "The input holds no text" if index is None else f"Text {index} of the input is empty"
        super().__init__(f"{which}. Send a text, or a list of texts, to predict.", param="input")
        self.index = index


class TooManyTexts(TooLarge):
    """More texts than one request may hold."""

    code = "too_many_texts"
    param = "input"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"The input has {count:,} texts, and up to {MAX_TEXTS:,} go into one request. Send it in parts."
        )
        self.count = count


class TextTooLong(TooLarge):
    """More characters than one text may have."""

    code = "text_too_long"
    param = "input"

    def __init__(self, index: int, characters: int) -> None:
        super().__init__(
            f"Text {index} of the input has {characters:,} characters, and up to {MAX_TEXT_CHARACTERS:,} "
            "are accepted. Shorten it, or send its parts."
        )
        self.index, self.characters = index, characters


class PairOfTexts(BaseModel):
    """Two texts that belong together, for a model of pairs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Text
    second: Text


def _one_or_several(value: object) -> object:
    # Said once, where a union would complain about each of its branches.
    if all(_is_input(one) for one in (value if isinstance(value, list) else [value])):
        return value
    raise PydanticCustomError(
        "no_text", 'it must be a text or a pair {"first": …, "second": …}, or a list of them'
    )


def _is_input(value: object) -> bool:
    if isinstance(value, dict):
        return value.keys() == {"first", "second"} and all(isinstance(text, str) for text in value.values())
    return isinstance(value, str)


class PredictionRequest(BaseModel):
    """`model` is a model's name or id (the version in production answers) or a version's id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Text = Field(min_length=1, max_length=200, examples=["support-intents"])
    input: Annotated[Text | PairOfTexts | list[Text | PairOfTexts], BeforeValidator(_one_or_several)] = Field(
        examples=[["Where is my card?", "I lost my PIN."]]
    )

    def inputs(self) -> list[Input]:
        """The texts or pairs to predict.

        Raises:
            NothingToPredict: there is none, or an empty one.
            TooManyTexts, TextTooLong: over the limits.
        """
        asked = self.input if isinstance(self.input, list) else [self.input]
        if not asked:
            raise NothingToPredict(None)
        if len(asked) > MAX_TEXTS:
            raise TooManyTexts(len(asked))
        for index, one in enumerate(asked):
            for text in (one,) if isinstance(one, str) else (one.first, one.second):
                if not text.strip():
                    raise NothingToPredict(index)
                if len(text) > MAX_TEXT_CHARACTERS:
                    raise TextTooLong(index, len(text))
        return [one if isinstance(one, str) else Pair(first=one.first, second=one.second) for one in asked]


@router.post("", summary="Predict with a trained model", response_model=Answer)
async def predict(request: PredictionRequest, caller: Caller, request_id: RequestId) -> Response:
    """What the model says of each text or pair: label, labels, score or entities; each is one prediction."""
    inputs = request.inputs()
    asked = perf_counter()

    def work() -> Response:
        answer = _predict(caller, request.model, inputs, request_id)
        metrics.predicted(len(inputs), seconds=perf_counter() - asked)
        # Written out here: for many texts and labels it takes long enough to hold up the event loop.
        return Response(answer.model_dump_json(), media_type="application/json")

    return await predictions.run(work, weight=len(inputs))


def _predict(caller: Member, model: str, inputs: list[Input], request_id: str) -> Answer:
    with reading() as db:
        version = registry.resolve(db, caller, name=model)
        threshold = thresholds.of(db, caller, version_id=version.id)
    with allowances.spending(caller, texts=len(inputs)):
        answers = inference.predict(version, inputs, threshold=threshold)
        # In the books before anybody reads it; what fails above is not counted.
        with transaction() as db:
            event = usage.predictions(
                tenant_id=caller.tenant_id,
                request_id=request_id,
                model_version_id=version.id,
                texts=len(inputs),
                at=clock.now(),
                user_id=caller.user_id,
                key_id=caller.key_id,
            )
            metering.record(db, [event])
    return Answer.of(inputs, answers, model=model, model_version=version.id)
