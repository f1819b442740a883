"""The API over a database of its own, and a workspace that calls it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from services.accounts import keys
from services.accounts.scope import Member
from services.api.app import app
from services.billing import service as billing
from services.config import settings
from services.db import engine_for, transaction
from services.migrations.upgrade import upgrade
from tests import factories


@dataclass(frozen=True)
class Workspace:
    """A workspace on trial, its owner, and a key of its own."""

    http: TestClient
    member: Member
    key_id: str
    secret: str

    def call(self, method: str, path: str, **request: Any) -> Response:
        """A request with the workspace's key."""
        headers = {"Authorization": f"Bearer {self.secret}", **request.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **request)

    def upload(self, content: bytes, *, filename: str = "messages.csv") -> str:
        """Upload a file; gives its id."""
        answer = self.call(
            "POST", "/v1/files", files={"file": (filename, content)}, data={"purpose": "fine-tune"}
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])


def create_workspace(http: TestClient) -> Workspace:
    with transaction() as db:
        member = factories.create_member(db)
        billing.grant_trial(db, member)
        key, secret = keys.create_key(db, member, name="program")
    return Workspace(http=http, member=member, key_id=key.id, secret=secret)


# What the databases might answer differently is asked of both; the rest of SQLite alone, which is quicker.
on_both_databases = pytest.mark.usefixtures("live_database")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An upgraded SQLite file, which nobody writes to."""
    home = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEPORT_HOME", str(home))
        settings.cache_clear()
        upgrade()
    settings.cache_clear()
    engine_for(f"sqlite:///{home / 'tuneport.db'}").dispose()
    return home / "tuneport.db"


@pytest.fixture
def http(request: pytest.FixtureRequest, empty_database: Path, home: Path) -> Iterator[TestClient]:
    if "live_database" in request.fixturenames:
        request.getfixturevalue("live_database")
    else:
        home.mkdir()
        shutil.copy(empty_database, home)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
    engine_for(settings().database_url).dispose()


@pytest.fixture
def workspace(http: TestClient) -> Workspace:
    return create_workspace(http)


def refused(answer: Response, status: int, code: str) -> str:
    """The sentence of a refusal, after a look at its shape."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(error) == {"message", "type", "code", "param"}
    assert error["code"] == code
    assert error["message"].endswith((".", "?"))
    assert answer.headers["x-request-id"].startswith("req_")
    message: str = error["message"]
    return message
