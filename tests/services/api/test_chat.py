"""Conversations through the public client; every token that is written is counted once."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest

from services.accounts.scope import Member
from services.api.app import app
from services.db import transaction
from services.registry import service as registry
from services.training.bases import catalogue
from services.training.recipe import DEFAULT_CHAT_MODEL, Task
from tests import factories
from tests.servers import serving
from tests.services.api.conftest import Workspace, create_workspace, on_both_databases, refused
from tests.services.api.test_predict import HELD, events, publish, spend_the_trial
from tests.services.inference.chats import create_base, create_chat_folder
from tests.services.registry.test_service import create_report

ASKED = [{"role": "user", "content": "what is red?"}]


@pytest.fixture
def version(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A chat version in production, whose base is tiny and not the catalogue's."""
    monkeypatch.setattr(catalogue, "_verify", lambda *_: None)
    folder = create_chat_folder(tmp_path / "chat", create_base())
    return publish_chat(workspace.member, folder)


def publish_chat(member: Member, folder: Path, name: str = "gardener") -> str:
    with transaction() as db:
        job = factories.create_job(db, member)
        artefact = registry.store(folder, tenant_id=member.tenant_id, job_id=job.id, attempt_id="1")
        return registry.publish(
            db,
            member,
            name=name,
            job_id=job.id,
            labels=[],
            report=create_report(task=Task.chat).model_copy(update={"base_model": DEFAULT_CHAT_MODEL}),
            artefact=artefact,
        ).id


def ask(workspace: Workspace, **changes: Any) -> Any:
    body = {"model": "gardener", "messages": ASKED, "max_tokens": 8, **changes}
    return workspace.call("POST", "/v1/chat/completions", json=body)


@on_both_databases
def test_an_answer_has_the_shape_of_the_public_client_and_is_counted(
    workspace: Workspace, version: str
) -> None:
    answer = ask(workspace).json()

    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["role"] == "assistant"
    assert answer["choices"][0]["message"]["content"]
    assert answer["model_version"] == version
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    [event] = events(workspace)
    assert (event.meter, event.quantity) == ("generated_tokens", Decimal(usage["completion_tokens"]))
    assert (event.model_version_id, event.key_id) == (version, workspace.key_id)


def test_a_stream_says_the_same_words_and_counts_once(workspace: Workspace, version: str) -> None:
    whole = ask(workspace).json()

    answer = ask(workspace, stream=True, stream_options={"include_usage": True})

    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    words = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    assert words == whole["choices"][0]["message"]["content"]
    assert chunks[-2]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert chunks[-1]["usage"] == whole["usage"]
    assert [event.quantity for event in events(workspace)] == [whole["usage"]["completion_tokens"]] * 2


def test_the_public_client_reads_answers_and_streams(workspace: Workspace, version: str) -> None:
    with serving(app) as url:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key=workspace.secret, max_retries=0)
        whole = client.chat.completions.create(model="gardener", messages=ASKED, max_tokens=8)
        streamed = client.chat.completions.create(
            model="gardener",
            messages=ASKED,
            max_tokens=8,
            stream=True,
            stream_options={"include_usage": True},
            extra_body={"untuned": False},
        )
        chunks = list(streamed)
        with pytest.raises(openai.UnprocessableEntityError, match="no message to answer"):
            client.chat.completions.create(model="gardener", messages=[])

    words = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert words == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage


def test_a_seed_repeats_an_answer_and_untuned_asks_the_base(workspace: Workspace, version: str) -> None:
    drawn = [ask(workspace, temperature=1.5, seed=seed).json()["choices"] for seed in (1, 1, 2)]
    tuned, untuned = ask(workspace).json(), ask(workspace, untuned=True).json()

    assert drawn[0] == drawn[1] != drawn[2]
    assert tuned["choices"] != untuned["choices"]


def test_without_its_base_a_version_answers_from_its_merged_weights(
    workspace: Workspace, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(workspace, max_tokens=2).json()

    def gone(*_: object) -> None:
        raise catalogue.BaseModelMissing("SmolLM2-135M-Instruct")

    monkeypatch.setattr(catalogue, "_verify", gone)

    assert ask(workspace, max_tokens=2).json()["choices"] == first["choices"]
    refused(ask(workspace, untuned=True), 503, "base_model_missing")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"model": "nobody"}, 404, "model_not_found"),
        ({"messages": []}, 422, "empty_input"),
        ({"messages": [{"role": "user", "content": " "}]}, 422, "empty_input"),
        ({"messages": [{"role": "king", "content": "x"}]}, 422, "invalid_request"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 422, "invalid_request"),
        ({"n": 2}, 422, "invalid_request"),
        ({"max_tokens": 5_000}, 422, "invalid_request"),
        ({"temperature": 3}, 422, "invalid_request"),
        ({"tools": []}, 422, "invalid_request"),
        ({"messages": [{"role": "user", "content": "x" * 600}]}, 413, "context_length_exceeded"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_shape_and_free(
    workspace: Workspace, version: str, changes: dict[str, Any], status: int, code: str
) -> None:
    refused(ask(workspace, **changes), status, code)
    refused(ask(workspace, stream=True, **changes), status, code)

    assert events(workspace) == []


def test_a_conversation_and_a_text_each_have_their_address(
    workspace: Workspace, version: str, tmp_path: Path
) -> None:
    publish(workspace, tmp_path / "intents")

    refused(ask(workspace, model="intents"), 422, "no_chat_model")
    wrong = workspace.call("POST", "/v1/predict", json={"model": "gardener", "input": "hello"})
    refused(wrong, 422, "chat_expected")


def test_a_trial_without_credit_gets_no_answer(workspace: Workspace, version: str) -> None:
    spend_the_trial(workspace, left=HELD)

    refused(ask(workspace), 402, "credit_spent")


def test_another_workspace_s_model_is_not_there(workspace: Workspace, version: str) -> None:
    stranger = create_workspace(workspace.http)

    refused(ask(stranger, model=version), 404, "model_not_found")
