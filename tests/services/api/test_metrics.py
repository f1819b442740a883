"""What an api tells Prometheus, and whom."""

import pytest
from fastapi.testclient import TestClient

from services.api.app import app
from services.config import settings
from tests.services.api.conftest import Workspace, on_both_databases

HERE = ("127.0.0.1", 50_000)


@on_both_databases
def test_this_machine_reads_counters_and_gauges(workspace: Workspace) -> None:
    answer = TestClient(app, client=HERE).get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE tuneport_predictions_total counter" in answer.text
    assert 'tuneport_jobs_waiting{tenant_class="trial"} 0.0' in answer.text


def test_others_find_nothing_there(workspace: Workspace) -> None:
    answer = workspace.call("GET", "/metrics")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_address")
    proxied = TestClient(app, client=HERE).get("/metrics", headers={"X-Forwarded-For": "10.0.0.7"})
    assert proxied.status_code == 404


def test_the_token_opens_it_from_anywhere(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEPORT_METRICS_TOKEN", "scraper")
    settings.cache_clear()

    assert workspace.http.get("/metrics", headers={"Authorization": "Bearer scraper"}).status_code == 200
    assert TestClient(app, client=HERE).get("/metrics").status_code == 404
