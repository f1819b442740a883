"""The portal asks the API for predictions, and hears its refusals in its own words."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from services import errors
from services.accounts.scope import Member, Role
from services.config import settings
from services.inference import client, tokens
from services.inference.protocol import Answer, EntityItem, LabelItem
from tests.servers import serving

MEMBER = Member(tenant_id="ten_1", role=Role.viewer, user_id="usr_1")
LABELS = {
    "model": "intents",
    "model_version": "mv_1",
    "data": [{"index": 0, "label": "card", "score": 0.75, "scores": {"card": 0.75, "rate": 0.25}}],
    "usage": {"predictions": 1, "characters": 17},
}
ENTITIES = {
    "model": "places",
    "model_version": "mv_2",
    "data": [
        {"index": 0, "entities": [{"type": "city", "text": "Bonn", "start": 3, "end": 7, "score": 0.9}]},
        {"index": 1, "entities": []},
    ],
    "usage": {"predictions": 2, "characters": 20},
}


class Api:
    """Stands in for the API: remembers what it was asked, and answers as told."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.app.post("/v1/predict")(self.predict)
        self.answer: Response = JSONResponse(LABELS)
        self.asked: dict[str, Any] = {}
        self.authorization = ""

    async def predict(self, request: Request) -> Response:
        self.asked = await request.json()
        self.authorization = request.headers["authorization"]
        return self.answer

    def refuse(self, status: int, code: str, message: str) -> None:
        body = {"error": {"message": message, "type": "invalid_request_error", "code": code, "param": None}}
        self.answer = JSONResponse(body, status)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    api = Api()
    with serving(api.app) as url:
        monkeypatch.setenv("TUNEPORT_API_URL", f"{url}/")
        settings.cache_clear()
        yield api


def ask() -> Answer:
    return client.predict(MEMBER, model="intents", inputs=["where is my card?"])


def test_it_sends_the_texts_and_the_persons_token(api: Api) -> None:
    ask()

    assert api.asked == {"model": "intents", "input": ["where is my card?"]}
    bearer = tokens.read(api.authorization.removeprefix("Bearer "))
    assert (bearer.tenant_id, bearer.user_id) == ("ten_1", "usr_1")


def test_labels_and_entities_come_back_typed(api: Api) -> None:
    assert ask().data == [LabelItem(index=0, label="card", score=0.75, scores={"card": 0.75, "rate": 0.25})]

    api.answer = JSONResponse(ENTITIES)
    first, second = ask().data

    assert isinstance(first, EntityItem)
    assert first.entities[0].text == "Bonn"
    assert isinstance(second, EntityItem)
    assert second.entities == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.ServiceError),
        (401, errors.Unauthenticated),
        (402, errors.PaymentRequired),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (413, errors.TooLarge),
        (422, errors.Invalid),
        (429, errors.RateLimited),
        (500, errors.ServiceError),
        (503, errors.Unavailable),
    ],
)
def test_a_refusal_keeps_its_kind_its_code_and_its_sentence(
    api: Api, status: int, kind: type[errors.ServiceError]
) -> None:
    api.refuse(status, "some_code", "This cannot be done.")

    with pytest.raises(kind) as refused:
        ask()

    assert type(refused.value) is kind
    assert (refused.value.code, refused.value.status) == ("some_code", status)
    assert str(refused.value) == refused.value.message == "This cannot be done."
    assert kind.code != "some_code"


def test_what_is_no_answer_of_ours_counts_as_silence(api: Api) -> None:
    for strange in (
        PlainTextResponse("Bad gateway", 502),
        JSONResponse({"detail": "no"}, 404),
        JSONResponse({"error": "no"}, 400),
        JSONResponse(["no"], 400),
        JSONResponse({"data": []}),
        PlainTextResponse("<html>"),
    ):
        api.answer = strange

        with pytest.raises(client.ApiSilent) as silent:
            ask()

        assert silent.value.status == 503


def test_an_api_that_is_down_counts_as_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEPORT_API_URL", "http://127.0.0.1:9")
    settings.cache_clear()

    with pytest.raises(client.ApiSilent, match="Try again"):
        ask()


def test_asking_needs_no_torch() -> None:
    program = "import sys, services.inference.client; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
