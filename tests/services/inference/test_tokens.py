"""The portal's word for a person is believed for a minute, and only as it was signed."""

import pytest

from services.accounts.scope import Member, Role
from services.config import settings
from services.inference import tokens
from services.inference.tokens import BadToken, Bearer
from tests.conftest import Clock

MEMBER = Member(tenant_id="ten_1", role=Role.viewer, user_id="usr_1")


def test_a_token_names_person_and_workspace() -> None:
    assert tokens.read(tokens.issue(MEMBER)) == Bearer(tenant_id="ten_1", user_id="usr_1")


def test_a_token_is_over_after_a_minute(clock: Clock) -> None:
    token = tokens.issue(MEMBER)

    clock.advance(59)
    tokens.read(token)
    clock.advance(2)

    with pytest.raises(BadToken):
        tokens.read(token)


def test_a_changed_token_is_refused() -> None:
    mine, theirs = tokens.issue(MEMBER), tokens.issue(Member("ten_2", Role.owner, "usr_2"))

    forged = theirs.partition(".")[0] + "." + mine.partition(".")[2]

    for token in (forged, mine[:-1], mine + "x", "", "tp", "é"):
        with pytest.raises(BadToken):
            tokens.read(token)


def test_a_token_of_another_installation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.issue(MEMBER)

    monkeypatch.setenv("TUNEPORT_SECRET_KEY", "another secret")
    settings.cache_clear()

    with pytest.raises(BadToken):
        tokens.read(token)


def test_only_a_person_gets_one() -> None:
    with pytest.raises(ValueError, match="person"):
        tokens.issue(Member(tenant_id="ten_1", role=Role.editor, key_id="key_1"))
