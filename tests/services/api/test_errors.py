"""Every refusal has one shape, one sentence, a stable code, and a reference."""

import logging

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from services.api.app import app
from services.api.envelope import Envelope
from services.config import settings
from tests.services.api.conftest import Workspace, on_both_databases, refused


def test_what_is_not_there_and_what_cannot_be_done(workspace: Workspace) -> None:
    refused(workspace.call("GET", "/v1/nothing"), 404, "unknown_address")
    refused(workspace.call("GET", "/v1/files/"), 404, "unknown_address")
    wrong = workspace.call("PUT", "/v1/files")
    refused(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"] in {"GET", "POST", "GET, POST", "POST, GET"}


@pytest.mark.parametrize(
    ("body", "code", "status", "says"),
    [
        (b"", "malformed_body", 400, "JSON object"),
        (b"{", "malformed_body", 400, "not valid JSON: Expecting property name"),
        (b"[]", "malformed_body", 400, "JSON object"),
        (b"\xff", "malformed_body", 400, "cannot be read"),
        (b"[" * 100_000, "malformed_body", 400, "cannot be read"),
        (b"{}", "invalid_request", 422, "The field “model” is missing."),
        (b'{"model":"m"}', "invalid_request", 422, "The field “input” is missing."),
        (b'{"model":"m","input":1}', "invalid_request", 422, "“input” cannot be used: it must be a text or"),
        (b'{"model":"m","input":["a",1]}', "invalid_request", 422, "“input” cannot be used: it must be"),
        (
            b'{"model":"","input":"a"}',
            "invalid_request",
            422,
            "“model” cannot be used: string should have at",
        ),
        (b'{"model":"m","input":"a","n":1}', "invalid_request", 422, "no field “n” here"),
        (b'{"model":"m","input":"\\ud800"}', "invalid_request", 422, "no character"),
    ],
)
def test_a_body_that_cannot_be_used(
    workspace: Workspace, body: bytes, code: str, status: int, says: str
) -> None:
    answer = workspace.call("POST", "/v1/predict", content=body, headers={"Content-Type": "application/json"})

    assert says in refused(answer, status, code)


def test_a_faulty_field_is_named(workspace: Workspace) -> None:
    answer = workspace.call("GET", "/v1/usage", params={"start": "yesterday"})

    refused(answer, 422, "invalid_request")
    assert answer.json()["error"]["param"] == "start"


@on_both_databases
def test_a_nul_finds_nothing_and_breaks_nothing(workspace: Workspace) -> None:
    for path in ("/v1/files/a%00b", "/v1/models/a%00b", "/v1/invoices/a%00b"):
        answer = workspace.call("GET", path)

        assert answer.status_code in {404, 422}, answer.text
        assert answer.json()["error"]["message"]


def test_a_fault_of_ours_is_an_apology_with_a_reference(caplog: pytest.LogCaptureFixture) -> None:
    broken = FastAPI()
    broken.add_middleware(Envelope)

    @broken.get("/broken")
    def route() -> None:
        raise RuntimeError("the secret of the trade")

    with caplog.at_level(logging.ERROR):
        answer = TestClient(broken).get("/broken")

    message = refused(answer, 500, "internal_error")
    assert answer.headers["x-request-id"] in message
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] in caplog.text
    assert "the secret of the trade" in caplog.text


def test_a_database_that_is_away_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TUNEPORT_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    settings.cache_clear()

    answer = TestClient(app, raise_server_exceptions=False).get("/healthz")

    refused(answer, 503, "database_unavailable")
    assert answer.headers["retry-after"] == "5"


def test_every_answer_carries_its_own_id_and_is_kept_by_nobody(workspace: Workspace) -> None:
    answers = [
        workspace.http.get("/healthz", headers={"x-request-id": "mine"}),
        workspace.http.get("/docs"),
        workspace.http.get("/openapi.json"),
        workspace.http.get("/v1/files"),
        workspace.call("GET", "/v1/files"),
        workspace.call("GET", "/nothing"),
    ]

    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == len(answers)
    assert "mine" not in ids
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert {answer.headers["x-content-type-options"] for answer in answers} == {"nosniff"}


def test_the_description_names_every_route() -> None:
    described = app.openapi()["paths"]

    assert {"/v1/files", "/v1/fine_tuning/jobs", "/v1/models", "/v1/predict", "/v1/usage"} <= set(described)
    assert "multipart/form-data" in described["/v1/files"]["post"]["requestBody"]["content"]
    assert "HTTPValidationError" not in str(described)
