"""Files come whole, are found by their owners, and go for good."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.api import limits
from services.api.app import app
from tests.services.api.conftest import Workspace, on_both_databases, refused

CSV = "text,label\nwhere is my card?,card\nwhät is the rate?,rate\n".encode()


def stored(home: Path) -> list[Path]:
    return [file for file in (home / "objects").rglob("*") if file.is_file()]


@on_both_databases
def test_a_file_is_kept_as_it_came(workspace: Workspace) -> None:
    file_id = workspace.upload(CSV, filename="messages ü.csv")

    file = workspace.call("GET", f"/v1/files/{file_id}").json()
    content = workspace.call("GET", f"/v1/files/{file_id}/content")

    assert file["filename"] == "messages ü.csv"
    assert (file["object"], file["bytes"], file["purpose"]) == ("file", len(CSV), "fine-tune")
    assert content.content == CSV
    assert content.headers["content-disposition"] == "attachment; filename*=UTF-8''messages%20%C3%BC.csv"
    assert content.headers["cache-control"] == "no-store"


@on_both_databases
def test_the_list_has_pages(workspace: Workspace) -> None:
    ids = [workspace.upload(CSV) for _ in range(3)]

    first = workspace.call("GET", "/v1/files", params={"limit": 2}).json()
    rest = workspace.call("GET", "/v1/files", params={"limit": 2, "after": first["data"][-1]["id"]}).json()
    upwards = workspace.call("GET", "/v1/files", params={"order": "asc", "after": ids[0]}).json()
    none = workspace.call("GET", "/v1/files", params={"purpose": "batch"}).json()

    assert [file["id"] for file in first["data"]] == [ids[2], ids[1]]
    assert first["has_more"] is True
    assert [file["id"] for file in rest["data"]] == [ids[0]]
    assert rest["has_more"] is False
    assert [file["id"] for file in upwards["data"]] == ids[1:]
    assert none["data"] == []


@on_both_databases
def test_a_deleted_file_is_gone(workspace: Workspace, home: Path) -> None:
    file_id = workspace.upload(CSV)
    assert len(stored(home)) == 1

    answer = workspace.call("DELETE", f"/v1/files/{file_id}")

    assert answer.json() == {"id": file_id, "object": "file", "deleted": True}
    refused(workspace.call("GET", f"/v1/files/{file_id}"), 404, "not_found")
    refused(workspace.call("DELETE", f"/v1/files/{file_id}"), 404, "not_found")
    assert stored(home) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b" \n\n", "empty_file"),
        (bytes(range(256)) * 40, "binary_file"),
        (b"%PDF-1.7\n" + b"x" * 200, "unsupported_format"),
    ],
)
def test_what_is_no_text_is_refused_and_not_kept(
    workspace: Workspace, home: Path, content: bytes, code: str
) -> None:
    answer = workspace.call(
        "POST", "/v1/files", files={"file": ("data.csv", content)}, data={"purpose": "fine-tune"}
    )

    refused(answer, 422, code)
    assert stored(home) == []
    assert workspace.call("GET", "/v1/files").json()["data"] == []


def test_a_form_that_is_not_the_clients_is_refused(workspace: Workspace) -> None:
    file = {"file": ("data.csv", CSV)}
    post = ("POST", "/v1/files")
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}

    assert "“file” is missing" in refused(
        workspace.call(*post, data={"purpose": "fine-tune"}), 422, "invalid_request"
    )
    assert "purpose" in refused(workspace.call(*post, files=file), 422, "invalid_request")
    refused(workspace.call(*post, files=file, data={"purpose": "batch"}), 422, "invalid_request")
    refused(
        workspace.call(*post, files=file, data={"purpose": "fine-tune", "expires_after": "1"}),
        422,
        "invalid_request",
    )
    refused(workspace.call(*post, json={"file": "data"}), 422, "invalid_request")
    refused(workspace.call(*post, content=b"no parts", headers=multipart), 400, "malformed_body")
    refused(
        workspace.call(*post, files=[("file", CSV), ("file", CSV)], data={"purpose": "fine-tune"}),
        400,
        "malformed_body",
    )


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", 1_000)
    monkeypatch.setattr(limits, "_WRAPPING_BYTES", 1_000)
    monkeypatch.setattr(limits, "_BODY_BYTES", 500)


@pytest.mark.usefixtures("small_limits")
def test_a_body_over_the_limit_is_refused_by_its_announced_length(workspace: Workspace) -> None:
    large = b"text,label\n" * 500

    refused(
        workspace.call("POST", "/v1/files", files={"file": ("a.csv", large)}, data={"purpose": "fine-tune"}),
        413,
        "request_too_large",
    )
    refused(workspace.call("POST", "/v1/predict", content=large), 413, "request_too_large")
    assert workspace.upload(CSV)


@pytest.mark.usefixtures("small_limits")
def test_a_body_without_a_length_is_cut_off_where_the_limit_is(workspace: Workspace) -> None:
    def parts() -> Iterator[bytes]:
        yield from [b"x" * 100] * 1_000

    for path, content_type in (
        ("/v1/predict", "application/json"),
        ("/v1/files", "multipart/form-data; boundary=x"),
    ):
        answer = workspace.call("POST", path, content=parts(), headers={"Content-Type": content_type})
        refused(answer, 413, "request_too_large")


def test_a_strangers_file_is_not_even_read() -> None:
    asked = 0
    answers = []

    async def receive() -> dict[str, object]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"--x\r\n", "more_body": True}

    async def send(message: dict[str, object]) -> None:
        answers.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/files",
        "raw_path": b"/v1/files",
        "query_string": b"",
        "headers": [(b"content-type", b"multipart/form-data; boundary=x")],
    }
    asyncio.run(app(scope, receive, send))

    assert answers[0]["status"] == 401
    assert asked == 0
