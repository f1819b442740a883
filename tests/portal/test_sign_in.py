"""The real thing: our ASGI application behind a real server, an identity provider, a websocket."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from portal.cookies import SESSION_COOKIE
from services.accounts import sign_ins
from services.config import settings
from services.db import transaction
from tests.portal.browser import XSRF, Browser

ANNA = {"sub": "anna", "email": "anna@acme.example", "email_verified": True, "name": "Anna Berg"}
DOOR = "in minutes, and pay for what you use."
ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(*command: str, ready: str, **variables: str) -> Iterator[None]:
    """A process of its own, from the moment it answers at `ready`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TUNEPORT_")}
    running = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=inherited | variables)
    try:
        for _ in range(600):
            assert running.poll() is None, "the process ended by itself"
            try:
                httpx.get(ready, timeout=5).raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield
    finally:
        running.terminate()
        running.wait(timeout=30)


@pytest.fixture(scope="module")
def portal_home(upgraded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("portal")
    shutil.copy(upgraded, folder / "tuneport.db")
    return folder


@pytest.fixture(scope="module")
def portal(portal_home: Path) -> Iterator[str]:
    """The address of a running portal."""
    provider_port, port = free_port(), free_port()
    address = f"http://localhost:{port}"
    discovery = f"http://localhost:{provider_port}/.well-known/openid-configuration"
    variables = {
        "TUNEPORT_HOME": str(portal_home),
        "TUNEPORT_PORTAL_URL": address,
        "TUNEPORT_OIDC_METADATA_URL": discovery,
        "TUNEPORT_OIDC_CLIENT_ID": "tuneport",
        "TUNEPORT_OIDC_CLIENT_SECRET": "secret",
    }
    provider = ("oidc_provider_mock", "-p", str(provider_port), "--user-claims", json.dumps(ANNA))
    server = ("uvicorn", "portal.asgi:app", "--host", "localhost", "--port", str(port), "--no-access-log")
    with process(*provider, ready=discovery), process(*server, ready=f"{address}/healthz", **variables):
        yield address


@pytest.fixture(autouse=True)
def same_home(home: Path, portal_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test looks into the portal's own database."""
    monkeypatch.setenv("TUNEPORT_HOME", str(portal_home))
    settings.cache_clear()


@pytest.fixture
def stranger(portal: str) -> Iterator[Browser]:
    with Browser(portal) as browser:
        yield browser


@pytest.fixture
def anna(portal: str) -> Iterator[Browser]:
    with Browser(portal) as browser:
        browser.sign_in("anna")
        yield browser


def test_signing_in_leads_into_a_workspace_of_ones_own(anna: Browser) -> None:
    shown = anna.open().run()

    assert "Anna Berg’s workspace" in shown.text
    assert "anna" in shown.text


def test_a_page_opened_without_signing_in_is_the_door(stranger: Browser) -> None:
    shown = stranger.open().run()

    assert DOOR in shown.text
    assert list(shown.buttons) == ["Continue with single sign-on"]


def test_cookies_copied_before_signing_out_are_nobodys_afterwards(anna: Browser) -> None:
    tab = anna.open()
    shown = tab.run()
    thief = anna.copy()
    assert DOOR not in thief.open().run().text

    anna.sign_out(tab, shown)

    assert DOOR in thief.open().run().text
    assert DOOR in anna.open().run().text


def test_an_open_page_of_the_thief_ends_too(anna: Browser) -> None:
    tab, thiefs = anna.open(), anna.copy().open()
    shown = tab.run()
    assert DOOR not in thiefs.run().text

    anna.sign_out(tab, shown)

    assert DOOR in thiefs.run().text


def test_signing_out_everywhere_reaches_a_page_that_is_open(anna: Browser) -> None:
    tab = anna.open()
    assert DOOR not in tab.run().text

    with transaction() as db:
        user = sign_ins.person(db, anna.http.cookies[SESSION_COOKIE].partition(".")[0])
        assert user is not None
        sign_ins.end_everywhere(db, user.id)

    assert DOOR in tab.run().text


def test_every_cookie_of_the_way_in_and_out_is_hardened(anna: Browser) -> None:
    tab = anna.open()
    anna.sign_out(tab, tab.run())

    cookies = [cookie for answer in anna.answers for cookie in answer.headers.get_list("set-cookie")]
    names = {cookie.partition("=")[0] for cookie in cookies}
    assert {SESSION_COOKIE, XSRF, "_streamlit_user", "_streamlit_user_tokens", "_streamlit_session"} <= names
    for cookie in cookies:
        assert "SameSite=Lax" in cookie, cookie
        # Streamlit's own script reads its token against request forgery.
        assert ("HttpOnly" in cookie) is not cookie.startswith(XSRF), cookie


def test_files_of_pages_need_a_sign_in(portal: str, anna: Browser) -> None:
    for path in ("/media/abc.png", "/_stcore/upload_file/session/file"):
        assert httpx.put(portal + path).status_code == 403
        assert httpx.get(portal + path).status_code == 403
    # Signed in, there is merely no such file.
    assert anna.get("/media/abc.png").status_code == 404


def test_the_process_says_that_it_is_well(portal: str) -> None:
    assert httpx.get(f"{portal}/healthz").json() == {"status": "ok"}


def test_a_callback_that_nobody_asked_for_signs_nobody_in(stranger: Browser) -> None:
    stranger.get("/oauth2callback?code=forged&state=forged")

    assert SESSION_COOKIE not in stranger.http.cookies
    assert DOOR in stranger.open().run().text
