"""The cookies of a signed-in browser: Streamlit's with the identity, and ours that can be ended.

Ours is `<secret>.<chunks>.<mac>`. The secret names a sign-in; the mac ties it to the identity cookie that was
set in the same breath, so that a live sign-in cannot carry another one, such as a copied old one. Streamlit
splits a long identity over `chunks` further cookies.
"""

import hmac
import re
from collections.abc import Iterable, Mapping

from starlette.requests import cookie_parser
from streamlit.web.server.starlette.starlette_server_config import (
    TOKENS_COOKIE_NAME,
    USER_COOKIE_NAME,
    XSRF_COOKIE_NAME,
)

from services.accounts import secrets

SESSION_COOKIE = "tuneport_session"
_IDENTITY = re.compile(rf"({re.escape(TOKENS_COOKIE_NAME)}|{re.escape(USER_COOKIE_NAME)})(_\d+)?")
_CHUNK = re.compile(rf"{re.escape(USER_COOKIE_NAME)}_\d+")
_HARDENED = {"httponly", "secure", "samesite"}

Headers = list[tuple[bytes, bytes]]


def sent(headers: Headers) -> dict[str, str]:
    """The cookies of a request, by name, as Streamlit reads them."""
    found: dict[str, str] = {}
    for name, value in headers:
        if name == b"cookie":
            found.update(cookie_parser(value.decode("latin-1")))
    return found


def without_identity(headers: Headers) -> Headers:
    """A request's headers without the cookies that tell who somebody is."""
    kept: Headers = []
    for name, value in headers:
        if name == b"cookie":
            pairs = (pair.strip() for pair in value.decode("latin-1").split(";"))
            value = "; ".join(pair for pair in pairs if not _names_identity(pair)).encode("latin-1")
        kept.append((name, value))
    return kept


def identity_set(headers: Headers) -> dict[str, str]:
    """The identity cookies that a response sets; empty where it sets none or only deletes them."""
    set_now: dict[str, str] = {}
    for name, value in headers:
        if name == b"set-cookie":
            pair = value.decode("latin-1").partition(";")[0]
            set_now.update(cookie_parser(pair))
    return {name: value for name, value in set_now.items() if value and _is_user(name)}


def sealed(secret: str, identity: Mapping[str, str]) -> str:
    """The value of our cookie for a sign-in and the identity cookies set with it."""
    chunks = sum(1 for name in identity if _CHUNK.fullmatch(name))
    return f"{secret}.{chunks}.{_mac(secret, chunks, identity)}"


def opened(cookies: Mapping[str, str]) -> str | None:
    """The secret in our cookie, if it came with the identity it was sealed with."""
    secret, _, rest = cookies.get(SESSION_COOKIE, "").partition(".")
    chunks, _, mac = rest.partition(".")
    if not secret or not re.fullmatch(r"[0-9]{1,2}", chunks) or USER_COOKIE_NAME not in cookies:
        return None
    expected = _mac(secret, int(chunks), cookies)
    return secret if hmac.compare_digest(mac.encode(), expected.encode()) else None


def secret_of(cookies: Mapping[str, str]) -> str | None:
    """The secret in our cookie, whatever came with it: enough to end a sign-in, never to act in one."""
    return cookies.get(SESSION_COOKIE, "").partition(".")[0] or None


def session_cookie(value: str, *, max_age: int) -> str:
    """Our cookie, to be hardened like every other; an age of zero deletes it."""
    return f"{SESSION_COOKIE}={value}; Path=/; Max-Age={max_age}"


def hardened(cookie: str, *, secure: bool, max_age: int) -> str:
    """A Set-Cookie value that scripts cannot read, other sites cannot send, and https alone carries.

    The one exception is Streamlit's token against request forgery, which its own script must read.
    """
    pair, *attributes = (part.strip() for part in cookie.split(";"))
    kept = [_capped(part, max_age) for part in attributes if part.partition("=")[0].lower() not in _HARDENED]
    if pair.partition("=")[0] != XSRF_COOKIE_NAME:
        kept.append("HttpOnly")
    kept.append("SameSite=Lax")
    if secure:
        kept.append("Secure")
    return "; ".join([pair, *kept])


def _capped(attribute: str, max_age: int) -> str:
    name, _, value = attribute.partition("=")
    if name.lower() == "max-age" and value.isdigit() and int(value) > max_age:
        return f"Max-Age={max_age}"
    return attribute


def _names_identity(pair: str) -> bool:
    return _IDENTITY.fullmatch(pair.partition("=")[0].strip()) is not None


def _is_user(name: str) -> bool:
    return name == USER_COOKIE_NAME or _CHUNK.fullmatch(name) is not None


def _mac(secret: str, chunks: int, cookies: Mapping[str, str]) -> str:
    names: Iterable[str] = (USER_COOKIE_NAME, *(f"{USER_COOKIE_NAME}_{i + 1}" for i in range(chunks)))
    return secrets.digest("\n".join([secret, str(chunks), *(cookies.get(name, "") for name in names)]))
