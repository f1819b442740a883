"""Files come in parts: as the public `openai` client sends them, or from an offset on."""

import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.api import limits
from services.datasets import retention, uploading
from services.datasets.limits import MAX_BYTES, MAX_OPEN_UPLOADS, PART_BYTES
from services.db import transaction
from services.worker import chores
from tests.conftest import Clock
from tests.services.api.conftest import Workspace, create_workspace, on_both_databases, refused

CSV = b"text,label\n" + b"".join(b"where is parcel %d?,card\n" % number for number in range(200))
UPLOADS = "/v1/uploads"


def begun(workspace: Workspace, size: int = len(CSV), **fields: Any) -> dict[str, Any]:
    body = {"filename": "messages.csv", "bytes": size, "purpose": "fine-tune", "mime_type": "text/csv"}
    answer = workspace.call("POST", UPLOADS, json=body | fields)
    assert answer.status_code == 200, answer.text
    upload: dict[str, Any] = answer.json()
    return upload


def part(workspace: Workspace, upload_id: str, content: bytes) -> str:
    answer = workspace.call("POST", f"{UPLOADS}/{upload_id}/parts", files={"data": ("part", content)})
    assert answer.status_code == 200, answer.text
    part_id: str = answer.json()["id"]
    return part_id


def patch(workspace: Workspace, upload_id: str, start: int, content: bytes) -> httpx.Response:
    return workspace.call(
        "PATCH", f"{UPLOADS}/{upload_id}", content=content, headers={"Upload-Offset": str(start)}
    )


def offset(workspace: Workspace, upload_id: str) -> int:
    return int(workspace.call("HEAD", f"{UPLOADS}/{upload_id}").headers["Upload-Offset"])


def stored(home: Path) -> list[Path]:
    return [file for file in (home / "objects").rglob("*") if file.is_file()]


@on_both_databases
def test_parts_become_a_file_in_the_order_that_is_told(workspace: Workspace, home: Path) -> None:
    upload = begun(workspace)
    late, early = (part(workspace, upload["id"], piece) for piece in (CSV[1000:], CSV[:1000]))

    done = workspace.call(
        "POST",
        f"{UPLOADS}/{upload['id']}/complete",
        json={"part_ids": [early, late], "md5": hashlib.md5(CSV, usedforsecurity=False).hexdigest()},
    ).json()

    assert (upload["status"], done["status"]) == ("pending", "completed")
    content = workspace.call("GET", f"/v1/files/{done['file']['id']}/content")
    assert content.content == CSV
    assert len(stored(home)) == 1


@on_both_databases
def test_bytes_come_one_after_the_other_and_the_offset_says_where_to_go_on(workspace: Workspace) -> None:
    upload = begun(workspace, fingerprint="mine")

    first = patch(workspace, upload["id"], 0, CSV[:1500])
    again = begun(workspace, fingerprint="mine")
    wrong = patch(workspace, upload["id"], 0, CSV[:1500])
    patch(workspace, upload["id"], 1500, CSV[1500:])
    sha256 = hashlib.sha256(CSV).hexdigest()
    done = workspace.call("POST", f"{UPLOADS}/{upload['id']}/complete", json={"sha256": sha256}).json()

    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "1500")
    assert (again["id"], again["offset"]) == (upload["id"], 1500)
    refused(wrong, 409, "upload_moved_on")
    assert workspace.call("GET", f"/v1/files/{done['file']['id']}/content").content == CSV


def test_a_large_body_is_kept_in_several_parts(workspace: Workspace, home: Path) -> None:
    content = CSV * (2 * PART_BYTES // len(CSV) + 1)
    upload = begun(workspace, len(content))

    answer = patch(workspace, upload["id"], 0, content)

    assert answer.headers["Upload-Offset"] == str(len(content))
    assert sorted(file.stat().st_size for file in stored(home))[1:] == [PART_BYTES] * 2


@on_both_databases
def test_nothing_beyond_what_was_announced_is_kept(workspace: Workspace, home: Path) -> None:
    upload = begun(workspace, 100)

    refused(patch(workspace, upload["id"], 0, CSV[:101]), 422, "upload_incomplete")

    assert offset(workspace, upload["id"]) <= 100
    assert sum(file.stat().st_size for file in stored(home)) <= 100


@on_both_databases
def test_what_is_not_whole_or_not_the_same_makes_no_file(workspace: Workspace) -> None:
    upload = begun(workspace)
    patch(workspace, upload["id"], 0, CSV[:-1])
    short = workspace.call("POST", f"{UPLOADS}/{upload['id']}/complete", json={})
    patch(workspace, upload["id"], len(CSV) - 1, b"!")
    sha256 = hashlib.sha256(CSV).hexdigest()
    changed = workspace.call("POST", f"{UPLOADS}/{upload['id']}/complete", json={"sha256": sha256})

    refused(short, 422, "upload_incomplete")
    refused(changed, 422, "upload_damaged")
    assert workspace.call("GET", "/v1/files").json()["data"] == []


@on_both_databases
def test_a_cancelled_upload_is_gone(workspace: Workspace, home: Path) -> None:
    upload = begun(workspace)
    part(workspace, upload["id"], CSV)

    cancelled = workspace.call("POST", f"{UPLOADS}/{upload['id']}/cancel").json()

    assert cancelled["status"] == "cancelled"
    assert stored(home) == []
    refused(patch(workspace, upload["id"], 0, CSV), 409, "upload_ended")


@on_both_databases
def test_abandoned_uploads_expire_and_are_deleted(workspace: Workspace, home: Path, clock: Clock) -> None:
    upload = begun(workspace)
    patch(workspace, upload["id"], 0, CSV[:99])
    clock.advance(uploading.LIFE.total_seconds() + 1)

    status = workspace.call("GET", f"{UPLOADS}/{upload['id']}").json()["status"]
    chores.CHORES["expire_uploads"].do()

    assert status == "expired"
    assert stored(home) == []
    refused(workspace.call("GET", f"{UPLOADS}/{upload['id']}"), 404, "not_found")
    with transaction() as db:
        assert retention.forget_expired(db) == []


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"bytes": 0}, 422, "empty_file"),
        ({"bytes": MAX_BYTES + 1}, 413, "file_too_large"),
        ({"purpose": "assistants"}, 422, "invalid_request"),
        ({"filename": ""}, 422, "invalid_request"),
    ],
)
def test_what_cannot_become_a_file_is_refused_before_it_is_sent(
    workspace: Workspace, fields: dict[str, Any], status: int, code: str
) -> None:
    body = {"filename": "messages.csv", "bytes": 3, "purpose": "fine-tune"} | fields

    refused(workspace.call("POST", UPLOADS, json=body), status, code)


def test_what_is_no_data_is_refused_once_it_is_here(workspace: Workspace) -> None:
    content = bytes(range(256)) * 40
    upload = begun(workspace, len(content))
    patch(workspace, upload["id"], 0, content)

    answer = workspace.call("POST", f"{UPLOADS}/{upload['id']}/complete", json={})

    refused(answer, 422, "binary_file")


def test_uploads_under_way_are_bounded(workspace: Workspace) -> None:
    for _ in range(MAX_OPEN_UPLOADS):
        begun(workspace)

    refused(
        workspace.call("POST", UPLOADS, json={"filename": "a.csv", "bytes": 3, "purpose": "fine-tune"}),
        409,
        "too_many_uploads",
    )


def test_a_part_may_be_as_large_as_the_client_sends_them() -> None:
    assert limits.body_limit("POST", f"{UPLOADS}/upload_1/parts") > 64 * 2**20
    assert limits.body_limit("PATCH", f"{UPLOADS}/upload_1") > MAX_BYTES
    assert limits.body_limit("POST", f"{UPLOADS}/upload_1/complete") < 2**24


def test_a_strangers_upload_is_as_unknown_as_a_made_up_one(workspace: Workspace, http: Any) -> None:
    upload = begun(workspace)
    stranger = create_workspace(http)

    assert stranger.call("HEAD", f"{UPLOADS}/{upload['id']}").status_code == 404
    refused(stranger.call("GET", f"{UPLOADS}/{upload['id']}"), 404, "not_found")
    refused(patch(stranger, upload["id"], 0, b"x"), 404, "not_found")
