import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services.accounts.scope import Member, Role
from services.config import settings
from services.registry.tables import ModelVersion
from tests.portal.reports import create_entity_report, create_report
from tests.portal.rows import PLACES, colleague, create_dataset, create_model, stranger
from tests.portal.visitor import button, visit, words
from tests.servers import serving


class Api:
    """An API that says what it is told to say, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        self.answer: dict[str, object] = {}
        self.status = 200

    async def predict(self, request: Request) -> JSONResponse:
        body = await request.json()
        self.asked.append(body)
        if self.status != 200:
            return JSONResponse(
                {"error": {"message": "The credit is spent.", "code": "credit_spent"}}, self.status
            )
        return JSONResponse(
            {
                "model": body["model"],
                "model_version": body["model"],
                "data": [{"index": 0, **self.answer}],
                "usage": {"predictions": 1, "characters": 4},
            }
        )


@pytest.fixture
def api(owner: Member, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    found = Api()
    with serving(Starlette(routes=[Route("/v1/predict", found.predict, methods=["POST"])])) as address:
        monkeypatch.setenv("TUNEPORT_API_URL", address)
        settings.cache_clear()
        yield found
    settings.cache_clear()


@pytest.fixture
def version(owner: Member, tmp_path: Path) -> ModelVersion:
    return create_model(owner, tmp_path, create_report())


def test_without_a_model_it_says_how_to_get_one(owner: Member) -> None:
    page = visit(owner, "playground")

    assert not page.exception
    assert "**No model to try yet**" in words(page)


def test_it_starts_with_an_example_of_the_test_split(owner: Member, version: ModelVersion) -> None:
    page = visit(owner, "playground")

    assert page.text_area[0].value.startswith(("where is my card", "what is the rate"))
    assert page.selectbox[0].value == version.id


def test_scores_are_bars_with_price_and_time(owner: Member, version: ModelVersion, api: Api) -> None:
    api.answer = {
        "label": "card_arrival",
        "score": 0.9,
        "scores": {"card_arrival": 0.9, "exchange_rate": 0.1},
    }
    page = visit(owner, "playground")
    page.text_area[0].set_value("Where is it?")

    button(page, "Predict").click().run()

    assert not page.exception
    assert api.asked == [{"model": version.id, "input": ["Where is it?"]}]
    assert r"**“card\_arrival” with 90\.0 \%**" in words(page)
    assert "€0.0002" in words(page)
    assert " ms " in words(page)
    assert len(page.get("plotly_chart")) == 1


def test_entities_are_marked_in_the_text(owner: Member, api: Api, tmp_path: Path) -> None:
    data = create_dataset(owner, PLACES, name="Places")
    create_model(owner, tmp_path, create_entity_report(), version=data, name="places")
    api.answer = {"entities": [{"type": "person", "text": "<b>Ann", "start": 0, "end": 6, "score": 0.8}]}
    page = visit(owner, "playground", model="places")
    page.text_area[0].set_value("<b>Ann is here")

    button(page, "Predict").click().run()

    assert not page.exception
    assert r":blue-background[\<b\>Ann :blue[:small[person]]] is here" in words(page)
    assert list(page.dataframe[0].value["Entity"]) == ["<b>Ann"]


def test_the_answer_stays_while_other_things_are_pressed(
    owner: Member, version: ModelVersion, api: Api
) -> None:
    api.answer = {"label": "card_arrival", "score": 1.0, "scores": {"card_arrival": 1.0}}
    page = visit(owner, "playground")
    button(page, "Predict").click().run()

    button(page, "Another example").click().run()

    assert r"“card\_arrival”" in words(page)


def test_a_refusal_is_told_in_the_api_s_words(owner: Member, version: ModelVersion, api: Api) -> None:
    api.status = 402
    page = visit(owner, "playground")

    button(page, "Predict").click().run()

    assert not page.exception
    assert "credit_spent" in page.error[0].value


def test_a_silent_api_is_told_in_words(
    owner: Member, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEPORT_API_URL", "http://127.0.0.1:9")
    settings.cache_clear()
    page = visit(owner, "playground")

    button(page, "Predict").click().run()

    assert not page.exception
    assert "api_unavailable" in page.error[0].value


def test_the_code_calls_the_live_version_by_the_model_s_name(owner: Member, version: ModelVersion) -> None:
    page = visit(owner, "playground")

    assert '"model": "cards"' in page.code[0].value
    assert json.dumps(page.text_area[0].value) in page.code[0].value


def test_another_workspace_s_model_is_not_found(owner: Member, version: ModelVersion, tmp_path: Path) -> None:
    foreign = create_model(stranger(), tmp_path, create_report())

    page = visit(owner, "playground", model=foreign.id)

    assert not page.exception
    assert "model_not_found" in page.error[0].value


def test_a_viewer_may_try(owner: Member, version: ModelVersion, api: Api) -> None:
    api.answer = {"label": "card_arrival", "score": 1.0, "scores": {"card_arrival": 1.0}}
    page = visit(colleague(owner, Role.viewer), "playground")

    button(page, "Predict").click().run()

    assert not page.exception
    assert len(api.asked) == 1


def test_an_empty_text_cannot_be_asked(owner: Member, version: ModelVersion) -> None:
    page = visit(owner, "playground")

    page.text_area[0].set_value("  ").run()

    assert button(page, "Predict").disabled
