"""Sign-ins that can be ended, around an app that keeps its identity in cookies as Streamlit does."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from portal.cookies import SESSION_COOKIE
from portal.guard import SIGN_IN_HEADER, Guard
from services.accounts import sign_ins
from services.accounts.tables import SignIn
from services.config import settings
from services.db import transaction
from tests import factories
from tests.conftest import Clock

HOUR = 3600
IDENTITY = "_streamlit_user"


async def callback(request: Request) -> Response:
    response = RedirectResponse("/")
    if who := request.query_params.get("who"):
        response.set_cookie(IDENTITY, who, max_age=30 * 24 * HOUR)
        response.set_cookie(f"{IDENTITY}_tokens", "tokens", max_age=30 * 24 * HOUR)
    else:
        response.delete_cookie(IDENTITY)
    return response


async def logout(request: Request) -> Response:
    response = RedirectResponse("/")
    response.delete_cookie(IDENTITY)
    response.headers["x-seen"] = request.cookies.get(IDENTITY, "nobody")
    return response


async def seen(request: Request) -> Response:
    return JSONResponse([request.cookies.get(IDENTITY), request.headers.get(SIGN_IN_HEADER)])


async def file(request: Request) -> Response:
    return PlainTextResponse("somebody's data")


async def stream(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json([websocket.cookies.get(IDENTITY), websocket.headers.get(SIGN_IN_HEADER)])
    await websocket.close()


def browser(*, secure: bool = True) -> TestClient:
    app = Starlette(
        routes=[
            Route("/oauth2callback", callback),
            Route("/auth/logout", logout),
            Route("/auth/seen", seen),
            Route("/", seen),
            Route("/media/{id}", file),
            Route("/_stcore/upload_file/{id}", file, methods=["PUT"]),
            WebSocketRoute("/_stcore/stream", stream),
        ],
        middleware=[Middleware(Guard, secure=secure, max_age=12 * HOUR)],
    )
    return TestClient(app, base_url="https://portal.example", follow_redirects=False)


def signed_in(who: str = "anna") -> TestClient:
    client = browser()
    client.get("/oauth2callback", params={"who": who})
    return client


def copy_of(client: TestClient) -> TestClient:
    other = browser()
    other.cookies.update(client.cookies)
    return other


def over_http(client: TestClient) -> str | None:
    who: str | None = client.get("/auth/seen").json()[0]
    return who


def over_websocket(client: TestClient) -> str | None:
    # The test client leaves the browser's cookies out of a handshake unless they are in its address's jar.
    with client.websocket_connect("wss://portal.example/_stcore/stream") as socket:
        who: str | None = socket.receive_json()[0]
    return who


WAYS = pytest.mark.parametrize("sees", [over_http, over_websocket])
Sees = Callable[[TestClient], str | None]


@pytest.fixture(autouse=True)
def database(empty_home: Path) -> None:
    """Sign-ins are rows."""


@WAYS
def test_a_browser_that_signed_in_is_known(sees: Sees) -> None:
    assert sees(signed_in("anna")) == "anna"


@WAYS
def test_a_cookie_copied_before_logout_is_nobody_after_it(sees: Sees) -> None:
    client = signed_in()
    thief = copy_of(client)
    assert sees(thief) == "anna"

    client.get("/auth/logout")

    assert sees(thief) is None


@WAYS
def test_an_identity_cookie_alone_is_nobody(sees: Sees) -> None:
    client = signed_in()
    client.cookies.delete(SESSION_COOKIE)

    assert sees(client) is None


@WAYS
def test_a_live_sign_in_does_not_carry_anothers_identity(sees: Sees) -> None:
    victim, attacker = signed_in("anna"), signed_in("mallory")
    stolen = victim.cookies[IDENTITY]
    victim.get("/auth/logout")

    attacker.cookies.delete(IDENTITY)
    attacker.cookies.set(IDENTITY, stolen, domain="portal.example")

    assert sees(attacker) is None


@WAYS
def test_the_header_of_the_guard_cannot_be_sent_from_outside(sees: Sees) -> None:
    client = browser()
    client.headers[SIGN_IN_HEADER] = "forged"

    assert client.get("/auth/seen").json() == [None, None]
    assert sees(client) is None


def test_the_app_learns_which_sign_in_it_is() -> None:
    client = signed_in()

    [_, secret] = client.get("/auth/seen").json()

    with transaction() as db:
        assert sign_ins.is_live(db, secret)
    assert client.cookies[SESSION_COOKIE].startswith(f"{secret}.")


@WAYS
def test_a_silent_browser_is_nobody(sees: Sees, clock: Clock) -> None:
    client = signed_in()

    clock.advance(HOUR + 1)

    assert sees(client) is None


@WAYS
def test_signing_out_everywhere_reaches_every_browser(sees: Sees) -> None:
    laptop, phone = signed_in(), signed_in()
    with transaction() as db:
        anna = factories.create_user(db)
        for client in (laptop, phone):
            assert sign_ins.bind(db, client.cookies[SESSION_COOKIE].partition(".")[0], anna)

    with transaction() as db:
        sign_ins.end_everywhere(db, anna.id)

    assert sees(laptop) is None
    assert sees(phone) is None


def test_signing_in_again_ends_what_the_browser_had() -> None:
    client = signed_in("anna")
    before = copy_of(client)

    client.get("/oauth2callback", params={"who": "anna"})

    assert over_http(client) == "anna"
    assert over_http(before) is None


def test_a_callback_that_fails_signs_nobody_in() -> None:
    client = browser()

    client.get("/oauth2callback")

    assert SESSION_COOKIE not in client.cookies
    with transaction() as db:
        assert db.exec(select(SignIn)).all() == []


def test_logout_still_sees_the_identity_that_it_ends() -> None:
    assert signed_in("anna").get("/auth/logout").headers["x-seen"] == "anna"


def test_logout_takes_our_cookie_back() -> None:
    client = signed_in()

    client.get("/auth/logout")

    assert SESSION_COOKIE not in client.cookies


@pytest.mark.parametrize(("method", "path"), [("GET", "/media/abc"), ("PUT", "/_stcore/upload_file/abc")])
def test_files_need_a_live_sign_in(method: str, path: str) -> None:
    client = signed_in()
    thief = copy_of(client)
    assert client.request(method, path).status_code == 200

    client.get("/auth/logout")

    for anybody in (thief, browser()):
        answer = anybody.request(method, path)
        assert answer.status_code == 403
        assert "data" not in answer.text


def test_pages_that_are_the_same_for_everybody_ask_nobody_who_they_are() -> None:
    assert signed_in().get("/").json() == [None, None]


def test_every_cookie_is_hardened() -> None:
    answer = browser().get("/oauth2callback", params={"who": "anna"})

    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {
        IDENTITY,
        f"{IDENTITY}_tokens",
        SESSION_COOKIE,
    }
    for cookie in cookies:
        attributes = cookie.split("; ")[1:]
        assert {"HttpOnly", "SameSite=Lax", "Secure", f"Max-Age={12 * HOUR}"} <= set(attributes), cookie


def test_without_https_cookies_stay_usable_on_localhost() -> None:
    answer = browser(secure=False).get("/oauth2callback", params={"who": "anna"})

    assert all("Secure" not in cookie for cookie in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize("path", ["/", "/media/abc", "/nowhere"])
def test_every_answer_carries_the_security_headers(path: str) -> None:
    headers = browser().get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "frame-ancestors 'self'"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["referrer-policy"] == "same-origin"


def test_the_limits_of_a_sign_in_are_the_operators(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setenv("TUNEPORT_SESSION_IDLE_MINUTES", "5")
    settings.cache_clear()
    client = signed_in()

    clock.advance(301)

    assert over_http(client) is None
