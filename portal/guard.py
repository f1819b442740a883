"""What stands around Streamlit, for http and websocket: sign-ins that can be ended, and hardened answers.

Streamlit's identity cookie is good for thirty days and cannot be called back. So each sign-in also gets a row
of ours and a cookie for it; a request whose row is not live reaches Streamlit without its identity cookie, as
nobody. A live one is handed on in a header that only the guard can set and that Streamlit is told to trust.
"""

from dataclasses import dataclass

import anyio
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal import cookies
from services.accounts import sign_ins
from services.db import reading, transaction

SIGN_IN_HEADER = "x-tuneport-sign-in"
CALLBACK, LOGOUT = "/oauth2callback", "/auth/logout"
# Streamlit serves and takes these without a session of any kind.
_CLOSED = ("/media/", "/_stcore/upload_file/")
# Where somebody's identity matters; anything else is the same for everybody and costs no query.
_PERSONAL = (*_CLOSED, "/download/", "/pay/", "/upload", "/auth/", CALLBACK)

_SECURITY_HEADERS = {
    b"x-content-type-options": b"nosniff",
    # Components of pages live in frames of the same origin.
    b"content-security-policy": b"frame-ancestors 'self'",
    b"x-frame-options": b"SAMEORIGIN",
    b"referrer-policy": b"same-origin",
}


@dataclass(frozen=True)
class Guard:
    """ASGI middleware; `max_age` is the longest life of any cookie, in seconds."""

    app: ASGIApp
    secure: bool
    max_age: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through as the person whose live sign-in it carries, or else as nobody."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return

        headers: cookies.Headers = [pair for pair in scope["headers"] if pair[0] != SIGN_IN_HEADER.encode()]
        sent, path, app = cookies.sent(headers), scope["path"], self.app
        personal = scope["type"] == "websocket" or path.startswith(_PERSONAL)
        secret = cookies.opened(sent) if personal else None
        if secret is not None and await anyio.to_thread.run_sync(_is_live, secret):
            headers.append((SIGN_IN_HEADER.encode(), secret.encode()))
        else:
            headers = cookies.without_identity(headers)
            app = _REFUSAL if path.startswith(_CLOSED) else app

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": await self._headers(path, sent, message["headers"])}
            await send(message)

        await app({**scope, "headers": headers}, receive, answer)

    async def _headers(self, path: str, sent: dict[str, str], headers: cookies.Headers) -> cookies.Headers:
        new = [(name, value) for name, value in headers if name not in _SECURITY_HEADERS]
        identity = cookies.identity_set(new) if path == CALLBACK else {}
        if identity:
            secret = await anyio.to_thread.run_sync(_begin, cookies.secret_of(sent))
            ours = cookies.session_cookie(cookies.sealed(secret, identity), max_age=self.max_age)
            new.append((b"set-cookie", ours.encode()))
        elif path == LOGOUT:
            await anyio.to_thread.run_sync(_end, cookies.secret_of(sent))
            new.append((b"set-cookie", cookies.session_cookie("", max_age=0).encode()))
        return [*((name, self._hardened(name, value)) for name, value in new), *_SECURITY_HEADERS.items()]

    def _hardened(self, name: bytes, value: bytes) -> bytes:
        if name != b"set-cookie":
            return value
        return cookies.hardened(value.decode("latin-1"), secure=self.secure, max_age=self.max_age).encode(
            "latin-1"
        )


_REFUSAL = PlainTextResponse("Sign in first.", status_code=403, headers={"Cache-Control": "no-store"})


def _is_live(secret: str) -> bool:
    with reading() as db:
        return sign_ins.is_live(db, secret)


def _begin(former: str | None) -> str:
    with transaction() as db:
        if former is not None:
            sign_ins.end(db, former)
        return sign_ins.begin(db)


def _end(secret: str | None) -> None:
    if secret is not None:
        with transaction() as db:
            sign_ins.end(db, secret)
