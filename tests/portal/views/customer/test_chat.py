"""A chat model in the portal: talked to in the playground, told of in its report."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from portal.highlight import literal
from services.accounts.scope import Member
from services.config import settings
from services.registry.tables import ModelVersion
from tests.portal.reports import create_chat_report
from tests.portal.rows import create_model
from tests.portal.visitor import button, visit, words
from tests.servers import serving


class Api:
    """An API that answers every conversation, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refuses = False

    async def complete(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        if self.refuses:
            return JSONResponse({"error": {"message": "The credit is spent.", "code": "credit_spent"}}, 402)
        said = ["As a ", "model."] if body["untuned"] else ["Water ", "<it>."]
        chunks = [{"choices": [{"delta": {"content": piece}}]} for piece in said]
        chunks.append({"choices": [], "usage": {"completion_tokens": 3}})
        lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        return StreamingResponse(iter([*lines, "data: [DONE]\n\n"]), media_type="text/event-stream")


@pytest.fixture
def api(owner: Member, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    found = Api()
    route = Route("/v1/chat/completions", found.complete, methods=["POST"])
    with serving(Starlette(routes=[route])) as address:
        monkeypatch.setenv("TUNEPORT_API_URL", address)
        settings.cache_clear()
        yield found
    settings.cache_clear()


@pytest.fixture
def version(owner: Member, tmp_path: Path) -> ModelVersion:
    return create_model(owner, tmp_path, create_chat_report(), name="gardener")


def test_a_message_is_answered_by_the_model_and_by_its_base(
    owner: Member, version: ModelVersion, api: Api
) -> None:
    page = visit(owner, "playground", model="gardener")

    page.chat_input[0].set_value("Is mint *fine*?").run()

    assert not page.exception
    assert [(asked["untuned"], asked["messages"]) for asked in api.asked] == [
        (False, [{"role": "user", "content": "Is mint *fine*?"}]),
        (True, [{"role": "user", "content": "Is mint *fine*?"}]),
    ]
    shown = words(page)
    assert literal("Water <it>.") in shown
    assert "As a model" in shown
    assert "3 tokens, €0.0000060" in shown


def test_the_next_message_brings_the_conversation_so_far(
    owner: Member, version: ModelVersion, api: Api
) -> None:
    page = visit(owner, "playground", model="gardener")
    page.toggle[0].set_value(False).run()

    page.chat_input[0].set_value("First?").run()
    page.chat_input[0].set_value("Second?").run()

    assert [message["content"] for message in api.asked[-1]["messages"]] == [
        "First?",
        "Water <it>.",
        "Second?",
    ]
    assert not any(asked["untuned"] for asked in api.asked)


def test_a_question_of_the_test_split_begins_the_conversation(
    owner: Member, version: ModelVersion, api: Api
) -> None:
    page = visit(owner, "playground", model="gardener")

    next(one for one in page.button if "sage" in one.label).click().run()

    assert api.asked[0]["messages"] == [{"role": "user", "content": "What of <sage>?"}]


def test_a_refusal_is_told_and_nothing_is_kept(owner: Member, version: ModelVersion, api: Api) -> None:
    api.refuses = True
    page = visit(owner, "playground", model="gardener")

    page.chat_input[0].set_value("Hello?").run()

    assert not page.exception
    assert "credit_spent" in page.error[0].value
    assert button(page, "Start over").disabled


def test_the_report_has_answers_side_by_side_and_says_how_sure_it_is(
    owner: Member, version: ModelVersion
) -> None:
    page = visit(owner, "model", id=version.model_id)

    assert not page.exception
    shown = words(page)
    assert "Better than the base model, sure: 20.0 points" in shown
    assert "Perplexity: 4.0" in shown
    assert literal("What of <mint>?") in shown
    for name in ("True answer", "This model · ROUGE-L 1.00", "Base model · ROUGE-L 0.00"):
        assert name in shown


def test_a_chat_model_is_taken_away_as_weights_alone(owner: Member, version: ModelVersion) -> None:
    page = visit(owner, "model", id=version.model_id, report_part="Origin")

    assert not page.exception
    assert {"Safetensors", "Model card"} == {
        link.proto.label for link in page.link_button if "download" in link.proto.icon
    }
    assert "the adapter alone for whoever has the base model" in words(page)
