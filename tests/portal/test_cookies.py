"""The cookies of a signed-in browser, as text."""

import pytest

from portal import cookies

IDENTITY = {"_streamlit_user": "chunks-2", "_streamlit_user_1": "one", "_streamlit_user_2": "two"}


def header(value: str) -> cookies.Headers:
    return [(b"host", b"x"), (b"cookie", value.encode())]


def browser(identity: dict[str, str], ours: str) -> dict[str, str]:
    return {**identity, cookies.SESSION_COOKIE: ours, "other": "1"}


def test_a_sealed_secret_opens_with_its_identity() -> None:
    assert cookies.opened(browser(IDENTITY, cookies.sealed("secret", IDENTITY))) == "secret"


@pytest.mark.parametrize(
    "identity",
    [
        {},
        {"_streamlit_user": "of somebody else"},
        IDENTITY | {"_streamlit_user_2": "of somebody else"},
        {"_streamlit_user_1": "one", "_streamlit_user_2": "two"},
    ],
)
def test_a_sealed_secret_does_not_open_with_another_identity(identity: dict[str, str]) -> None:
    assert cookies.opened(browser(identity, cookies.sealed("secret", IDENTITY))) is None


def test_a_forgotten_chunk_of_an_earlier_identity_does_not_matter() -> None:
    short = {"_streamlit_user": "whole"}

    assert cookies.opened(browser(short, cookies.sealed("secret", short)) | {"_streamlit_user_2": "old"})


@pytest.mark.parametrize(
    "ours", ["", "secret", "secret.0", "secret.0.", "secret.x.mac", "secret.-1.mac", ".0.mac", "a.²."]
)
def test_what_was_not_sealed_does_not_open(ours: str) -> None:
    assert cookies.opened(browser({"_streamlit_user": "whole"}, ours)) is None


def test_identity_cookies_are_taken_out_and_all_else_stays() -> None:
    sent = header(
        "a=1; _streamlit_user=x;_streamlit_user_1=y; _streamlit_user_tokens=z;_streamlit_user_tokens_2=w; b=2"
    )

    assert cookies.without_identity(sent) == header("a=1; b=2")


def test_every_cookie_header_is_read_and_cleaned() -> None:
    sent = [*header("a=1"), (b"cookie", b"_streamlit_user=x")]

    assert cookies.sent(sent) == {"a": "1", "_streamlit_user": "x"}
    assert "_streamlit_user" not in cookies.sent(cookies.without_identity(sent))


def test_a_response_sets_an_identity_only_with_a_value() -> None:
    sets = [
        (b"set-cookie", b"_streamlit_user=abc; HttpOnly; Path=/"),
        (b"set-cookie", b"_streamlit_user_1=def; Path=/"),
        (b"set-cookie", b"_streamlit_user_tokens=ghi; Path=/"),
    ]
    deletes = [(b"set-cookie", b'_streamlit_user=""; Max-Age=0; Path=/')]

    assert cookies.identity_set(sets) == {"_streamlit_user": "abc", "_streamlit_user_1": "def"}
    assert cookies.identity_set(deletes) == {}


@pytest.mark.parametrize(
    ("cookie", "hardened"),
    [
        ("a=1", "a=1; HttpOnly; SameSite=Lax; Secure"),
        ("a=1; path=/; samesite=none", "a=1; path=/; HttpOnly; SameSite=Lax; Secure"),
        ("a=1; HttpOnly; Max-Age=2592000; Secure", "a=1; Max-Age=3600; HttpOnly; SameSite=Lax; Secure"),
        ('a=""; Max-Age=0', 'a=""; Max-Age=0; HttpOnly; SameSite=Lax; Secure'),
        ("_streamlit_xsrf=t; Path=/", "_streamlit_xsrf=t; Path=/; SameSite=Lax; Secure"),
    ],
)
def test_a_cookie_is_hardened_and_lives_no_longer_than_a_sign_in(cookie: str, hardened: str) -> None:
    assert cookies.hardened(cookie, secure=True, max_age=3600) == hardened


def test_without_https_a_cookie_is_not_lost() -> None:
    assert cookies.hardened("a=1", secure=False, max_age=3600) == "a=1; HttpOnly; SameSite=Lax"
