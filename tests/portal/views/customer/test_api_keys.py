"""API keys: shown once, revoked at once."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from services.accounts import keys
from services.accounts.errors import BadApiKey
from services.accounts.scope import Member, Role
from services.accounts.tables import ApiKey
from services.db import reading, transaction
from tests.portal import rows
from tests.portal.reports import create_report
from tests.portal.visitor import button, visit, words

KEY = re.compile(r"tp_[A-Za-z0-9]{46}")


def all_keys(member: Member) -> list[ApiKey]:
    with reading() as db:
        return keys.list_keys(db, member)


def secrets_on(app: AppTest) -> set[str]:
    return {found for code in app.code for found in KEY.findall(code.value)}


def create(app: AppTest, name: str) -> AppTest:
    button(app, "Create key").click().run()
    app.text_input(key="key_name").set_value(name)
    (submit,) = app.form_submit_button
    return submit.click().run()


def test_a_key_is_shown_once_and_works(owner: Member) -> None:
    app = create(visit(owner, "api_keys"), "Support inbox")

    [secret] = secrets_on(app)
    with transaction() as db:
        assert keys.authenticate_key(db, secret).tenant_id == owner.tenant_id
    button(app, "Done").click().run()
    assert secrets_on(app) == set()
    assert "Support inbox" in words(app)
    assert secrets_on(visit(owner, "api_keys")) == set()


def test_the_secret_does_not_stay_in_the_session(owner: Member) -> None:
    app = create(visit(owner, "api_keys"), "Support inbox")
    [secret] = secrets_on(app)

    button(app, "Done").click().run()

    assert secret not in str(app.session_state.to_dict())


def test_a_key_without_a_name_is_refused_in_plain_words(owner: Member) -> None:
    app = create(visit(owner, "api_keys"), "   ")

    assert "Give the key a name of 1 to 80 characters" in app.error[0].value
    assert "bad_name" in app.error[0].value
    assert all_keys(owner) == []


def test_revoking_asks_first_and_then_bites(owner: Member) -> None:
    with transaction() as db:
        _, secret = keys.create_key(db, owner, name="Old prototype")
    app = visit(owner, "api_keys")

    button(app, "Revoke").click().run()
    assert "refused from the next request on" in words(app)
    assert all_keys(owner)[0].revoked_at is None

    button(app, "Revoke key").click().run()
    assert all_keys(owner)[0].revoked_at is not None
    with pytest.raises(BadApiKey), reading() as db:
        keys.authenticate_key(db, secret)
    assert "1 revoked key" in [one.label for one in app.expander]


def test_keeping_a_key_changes_nothing(owner: Member) -> None:
    with transaction() as db:
        keys.create_key(db, owner, name="server")
    app = visit(owner, "api_keys")

    button(app, "Revoke").click().run()
    button(app, "Keep it").click().run()

    assert all_keys(owner)[0].revoked_at is None


def test_the_snippet_names_a_model_of_the_workspace(owner: Member, tmp_path: Path) -> None:
    rows.create_model(owner, tmp_path, create_report(), name="cards")

    assert all('"cards"' in code.value for code in visit(owner, "api_keys").code)


def test_a_viewer_looks_and_changes_nothing(owner: Member) -> None:
    with transaction() as db:
        keys.create_key(db, owner, name="server")

    app = visit(rows.colleague(owner, Role.viewer), "api_keys")

    assert "server" in words(app)
    assert not {"Create key", "Revoke"} & {one.label for one in app.button}


def test_a_name_is_shown_letter_for_letter(owner: Member) -> None:
    with transaction() as db:
        keys.create_key(db, owner, name="**loud** [x](https://evil.example)")

    shown = [element.value for element in visit(owner, "api_keys").markdown if "loud" in element.value]

    assert "(https://evil.example)" not in shown[0]
