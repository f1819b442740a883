"""Every route is knocked at with another workspace's names: they are as unknown as made-up ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from services import clock
from services.api.app import app
from services.db import transaction
from tests.services.api.conftest import Workspace, create_workspace, on_both_databases, refused
from tests.services.inference.artefacts import create_model_folder
from tests.services.world import Names, World, create_world, guesses

Body = Callable[[Names], dict[str, Any]]


@dataclass(frozen=True)
class Finds:
    """It names something: a foreign name is answered with 404, one's own with `own`."""

    path: Callable[[Names], str]
    body: Body = lambda names: {}
    own: int = 200
    # What else the request carries.
    sends: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Shows:
    """It lists: nothing foreign is in it, and to the workspace's own key what `sees` names."""

    sees: tuple[str, ...]
    query: str = ""


TODAY = clock.now().date()
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
PUBLIC = {"GET /openapi.json", "GET /docs", "GET /healthz", "GET /metrics", "POST /v1/stripe/webhook"}
JOBS = "/v1/fine_tuning/jobs"
UPLOADS = "/v1/uploads"
CASES: dict[str, Finds | Shows] = {
    "GET /v1/files": Shows(("upload_id",)),
    "POST /v1/files": Shows(()),
    "GET /v1/files/{file_id}": Finds(lambda names: f"/v1/files/{names.upload_id}"),
    "GET /v1/files/{file_id}/content": Finds(lambda names: f"/v1/files/{names.upload_id}/content"),
    "DELETE /v1/files/{file_id}": Finds(lambda names: f"/v1/files/{names.upload_id}"),
    "POST /v1/uploads": Shows(()),
    "GET /v1/uploads/{upload_id}": Finds(lambda names: f"{UPLOADS}/{names.upload_session_id}"),
    "PATCH /v1/uploads/{upload_id}": Finds(
        lambda names: f"{UPLOADS}/{names.upload_session_id}",
        sends={"headers": {"Upload-Offset": "0"}, "content": b"tex"},
        own=204,
    ),
    "POST /v1/uploads/{upload_id}/parts": Finds(
        lambda names: f"{UPLOADS}/{names.upload_session_id}/parts", sends={"files": {"data": b"t,l"}}
    ),
    # It has not come whole.
    "POST /v1/uploads/{upload_id}/complete": Finds(
        lambda names: f"{UPLOADS}/{names.upload_session_id}/complete", sends={"json": {}}, own=422
    ),
    "POST /v1/uploads/{upload_id}/cancel": Finds(lambda names: f"{UPLOADS}/{names.upload_session_id}/cancel"),
    "GET /v1/fine_tuning/jobs": Shows(("job_id", "upload_id", "model_name")),
    "POST /v1/fine_tuning/jobs": Finds(
        lambda names: JOBS, lambda names: {"model": "all-MiniLM-L6-v2", "training_file": names.upload_id}
    ),
    "GET /v1/fine_tuning/jobs/{job_id}": Finds(lambda names: f"{JOBS}/{names.job_id}"),
    # The job that is there still waits, so that there is nothing to keep.
    "POST /v1/fine_tuning/jobs/{job_id}/stop": Finds(lambda names: f"{JOBS}/{names.job_id}/stop", own=409),
    "POST /v1/fine_tuning/jobs/{job_id}/cancel": Finds(lambda names: f"{JOBS}/{names.job_id}/cancel"),
    "GET /v1/fine_tuning/jobs/{job_id}/events": Finds(lambda names: f"{JOBS}/{names.job_id}/events"),
    "GET /v1/models": Shows(("model_name", "model_id", "model_version_id")),
    "GET /v1/models/{model}": Finds(lambda names: f"/v1/models/{names.model_name}"),
    "GET /v1/models/{model}/versions": Finds(lambda names: f"/v1/models/{names.model_name}/versions"),
    "GET /v1/models/{model}/export": Finds(
        lambda names: f"/v1/models/{names.model_version_id}/export?format=safetensors"
    ),
    "GET /v1/models/{model}/moves": Finds(lambda names: f"/v1/models/{names.model_name}/moves"),
    "POST /v1/models/{model}/promote": Finds(
        lambda names: f"/v1/models/{names.model_name}/promote", lambda names: {"version": 1}
    ),
    # There is one version, and nothing before it.
    "POST /v1/models/{model}/rollback": Finds(lambda names: f"/v1/models/{names.model_id}/rollback", own=409),
    "GET /v1/models/{model}/threshold": Finds(lambda names: f"/v1/models/{names.model_name}/threshold"),
    "PUT /v1/models/{model}/threshold": Finds(
        lambda names: f"/v1/models/{names.model_version_id}/threshold", lambda names: {"threshold": None}
    ),
    "POST /v1/predict": Finds(
        lambda names: "/v1/predict", lambda names: {"model": names.model_version_id, "input": "hello"}
    ),
    # Its own version is no chat model.
    "POST /v1/chat/completions": Finds(
        lambda names: "/v1/chat/completions",
        lambda names: {"model": names.model_version_id, "messages": [{"role": "user", "content": "hello"}]},
        own=422,
    ),
    "GET /v1/usage": Shows(("model_version_id",), "?group_by=model"),
    "POST /v1/usage/events": Shows(()),
    "GET /v1/usage/events": Shows(("event_id", "model_version_id"), f"?start={YESTERDAY}&end={TOMORROW}"),
    "GET /v1/budget": Shows(()),
    "GET /v1/invoices": Shows(("invoice_number",)),
    "GET /v1/invoices/{reference}": Finds(lambda names: f"/v1/invoices/{names.invoice_number}"),
    "POST /v1/invoices/{reference}/payment_link": Finds(
        lambda names: f"/v1/invoices/{names.invoice_number}/payment_link", lambda names: {}, own=409
    ),
    "GET /v1/credit_notes": Shows(("credit_note_number",)),
}
CASES |= {
    f"GET /v1/credit_notes/{{number}}{ending}": Finds(
        lambda names, ending=ending: f"/v1/credit_notes/{names.credit_note_number}{ending}", own=own
    )
    for ending, own in {".pdf": 200, ".csv": 200, ".json": 200, ".xml": 409, ".ubl.xml": 409}.items()
}
CASES |= {
    f"GET /v1/invoices/{{reference}}{ending}": Finds(
        lambda names, ending=ending: f"/v1/invoices/{names.invoice_number}{ending}", own=own
    )
    # A workspace without a country has no electronic invoice.
    for ending, own in {
        ".pdf": 200,
        ".csv": 200,
        ".json": 200,
        ".zip": 200,
        "/verdict": 200,
        ".xml": 409,
        ".ubl.xml": 409,
    }.items()
}
# The same routes by their other names.
OTHER_NAMES = [
    ("GET", Finds(lambda names: f"/v1/models/{names.model_id}")),
    ("GET", Finds(lambda names: f"/v1/models/{names.model_version_id}")),
    ("GET", Finds(lambda names: f"/v1/invoices/{names.invoice_id}")),
    ("GET", Finds(lambda names: f"/v1/files?after={names.upload_id}")),
    ("GET", Finds(lambda names: f"{JOBS}?after={names.job_id}")),
    ("POST", Finds(lambda names: "/v1/predict", lambda names: {"model": names.model_name, "input": "hello"})),
    ("POST", Finds(lambda names: "/v1/predict", lambda names: {"model": names.model_id, "input": "hello"})),
]


@pytest.fixture
def world(http: TestClient, tmp_path: Path) -> World:
    with transaction() as db:
        return create_world(db, tmp_path, model=create_model_folder(tmp_path / "model"))


@pytest.fixture
def own(http: TestClient, world: World) -> Workspace:
    return Workspace(http=http, member=world.member, key_id=world.names.key_id, secret=world.secret)


@pytest.fixture
def stranger(http: TestClient) -> Workspace:
    return create_workspace(http)


def routes() -> set[str]:
    return {
        f"{method} {route.path}"
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if method != "HEAD"
    }


def knock(workspace: Workspace, method: str, case: Finds, names: Names) -> tuple[int, str]:
    body = case.body(names)
    answer = workspace.call(method, case.path(names), **({"json": body} if body else {}), **case.sends)
    text = answer.text
    for name in names.all:
        text = text.replace(name, "…")
    return answer.status_code, text


def test_every_route_is_walked() -> None:
    assert routes() - set(CASES) - PUBLIC == set(), "give these a case"
    assert (set(CASES) | PUBLIC) - routes() == set(), "these are gone"


@on_both_databases
def test_a_foreign_name_is_as_unknown_as_a_made_up_one(
    own: Workspace, stranger: Workspace, world: World, subtests: pytest.Subtests
) -> None:
    walked = [(name.partition(" ")[0], case) for name, case in CASES.items() if isinstance(case, Finds)]
    # What deletes comes last: it is the control of its own case.
    for method, case in sorted([*walked, *OTHER_NAMES], key=lambda walk: walk[0] == "DELETE"):
        with subtests.test(f"{method} {case.path(world.names)} {case.body(world.names)}"):
            foreign = knock(stranger, method, case, world.names)
            made_up = knock(stranger, method, case, guesses())
            control, said = knock(own, method, case, world.names)

            assert foreign == made_up
            assert foreign[0] == 404
            assert control == case.own, said


@on_both_databases
def test_nothing_foreign_is_listed(
    own: Workspace, stranger: Workspace, world: World, subtests: pytest.Subtests
) -> None:
    for name, case in CASES.items():
        method, _, path = name.partition(" ")
        if isinstance(case, Shows) and method == "GET":
            with subtests.test(name):
                shown = stranger.call(method, path + case.query)
                control = own.call(method, path + case.query)

                assert shown.status_code == control.status_code == 200
                assert [value for value in world.names.all if value in shown.text] == []
                assert [field for field in case.sees if getattr(world.names, field) not in control.text] == []


def test_a_file_is_kept_in_its_senders_workspace(
    own: Workspace, stranger: Workspace, subtests: pytest.Subtests
) -> None:
    file_id = stranger.upload(b"text,label\na,b\n")

    assert stranger.call("GET", f"/v1/files/{file_id}").status_code == 200
    refused(own.call("GET", f"/v1/files/{file_id}"), 404, "not_found")


def test_no_route_answers_without_a_key(http: TestClient, subtests: pytest.Subtests) -> None:
    for name in sorted(CASES):
        method, _, path = name.partition(" ")
        with subtests.test(name):
            body = {} if method == "GET" else {"json": {}}

            refused(http.request(method, path, **body), 401, "bad_api_key")
