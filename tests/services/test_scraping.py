"""Who may read metrics, and the worker's own server."""

from collections.abc import Iterator

import httpx
import pytest

from services import scraping
from services.config import settings

TOKEN = "a-secret-of-the-scraper"


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TUNEPORT_METRICS_TOKEN", TOKEN)
    settings.cache_clear()
    return TOKEN


@pytest.fixture
def address() -> Iterator[str]:
    server = scraping.serve(0)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("client", "forwarded", "may"),
    [
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("127.0.0.1", True, False),
        ("10.0.0.7", False, False),
        ("testclient", False, False),
        ("", False, False),
    ],
)
def test_without_a_token_only_this_machine_reads(client: str, forwarded: bool, may: bool) -> None:
    assert scraping.may_read(client=client, authorization=None, forwarded=forwarded) is may


@pytest.mark.parametrize(
    ("sent", "may"),
    [(f"Bearer {TOKEN}", True), (TOKEN, False), ("Bearer ", False), ("Bearer ä", False), (None, False)],
)
def test_with_a_token_whoever_sends_it_reads(token: str, sent: str | None, may: bool) -> None:
    for client in ("127.0.0.1", "10.0.0.7"):
        assert scraping.may_read(client=client, authorization=sent, forwarded=False) is may


def test_a_worker_tells_its_metrics(address: str) -> None:
    answer = httpx.get(f"{address}/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "tuneport_job_claims_total" in answer.text
    assert httpx.get(f"{address}/").status_code == 404
    assert httpx.get(f"{address}/metrics", headers={"X-Forwarded-For": "10.0.0.7"}).status_code == 404


def test_a_worker_with_a_token_asks_for_it(token: str, address: str) -> None:
    assert httpx.get(f"{address}/metrics").status_code == 404
    sent = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{address}/metrics", headers=sent).status_code == 200
