"""Who a page takes somebody for, run by run."""

from pathlib import Path

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from portal.session import SIGN_IN, WORKSPACE
from services import clock as now
from services.accounts import sign_ins, team
from services.accounts.scope import Member, Role, Staff
from services.accounts.tables import Membership, SignIn, Tenant, User
from services.billing import service as billing
from services.config import settings
from services.db import reading, transaction
from tests import factories
from tests.conftest import Clock
from tests.portal import rows
from tests.portal.visitor import APP, PATIENCE_SECONDS, opened_by, visit, words

ANNA = {
    "is_logged_in": True,
    "iss": "https://id.example",
    "sub": "anna",
    "email": "anna@example.com",
    "email_verified": True,
    "name": "Anna",
}
DOOR = "in minutes, and pay for what you use."


def arriving(claims: dict[str, object], *, secret: str | None = "") -> AppTest:
    """The portal in a browser with these claims and a fresh sign-in (or the one given, or none)."""
    if secret == "":
        with transaction() as db:
            secret = sign_ins.begin(db)
    app = AppTest.from_file(APP, default_timeout=PATIENCE_SECONDS)
    app.user = {**claims, SIGN_IN: secret}
    return app.run()


def is_at_the_door(app: AppTest) -> bool:
    assert not app.exception
    return DOOR in words(app) and not app.sidebar.markdown


def everything_in(session_of: type) -> list[object]:
    with reading() as db:
        return list(db.exec(select(session_of)).all())


@pytest.fixture(autouse=True)
def database(empty_home: Path) -> None:
    """Somebody comes for the first time."""


@pytest.mark.parametrize(
    "claims",
    [{}, {"is_logged_in": False}, {**ANNA, "is_logged_in": False}],
    ids=["nobody", "anonymous", "signed out"],
)
def test_who_is_not_signed_in_sees_the_door(claims: dict[str, object]) -> None:
    assert is_at_the_door(arriving(claims))


def test_the_word_of_the_provider_is_not_enough() -> None:
    assert is_at_the_door(arriving(ANNA, secret=None))
    assert is_at_the_door(arriving(ANNA, secret="made up"))
    assert everything_in(User) == []


def test_the_door_offers_every_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No identity provider is set up yet" in words(arriving({}))
    for name, value in {
        "METADATA_URL": "https://id.example/x",
        "CLIENT_ID": "a",
        "TITLE": "Acme SSO",
    }.items():
        monkeypatch.setenv(f"TUNEPORT_OIDC_{name}", value)
    settings.cache_clear()

    app = arriving({})

    assert [button.label for button in app.button] == ["Continue with Acme SSO"]


def test_a_first_sign_in_opens_a_workspace_on_trial() -> None:
    app = arriving(ANNA)

    assert not app.exception
    assert "Anna’s workspace" in words(app)
    with reading() as db:
        tenant = db.exec(select(Tenant)).one()
        user = db.exec(select(User)).one()
        member = Member(tenant_id=tenant.id, role=Role.owner, user_id=user.id)
        assert billing.credit_left(db, member).micros > 0
        assert db.exec(select(SignIn)).one().user_id == user.id


def test_coming_again_arrives_nobody_twice() -> None:
    arriving(ANNA)
    app = arriving(ANNA)

    app.run()

    assert len(everything_in(User)) == len(everything_in(Tenant)) == 1


def test_without_self_service_a_stranger_is_told_whom_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEPORT_SELF_SERVICE", "false")
    settings.cache_clear()

    app = arriving(ANNA)

    assert "no workspace knows you" in words(app)
    assert [button.label for button in app.button] == ["Sign out"]
    assert everything_in(User) == []


def test_an_unverified_address_in_words_is_unverified(owner: Member) -> None:
    with transaction() as db:
        team.invite(db, owner, email="anna@example.com", role=Role.editor)

    arriving({**ANNA, "email_verified": "false"})

    assert len(everything_in(Membership)) == 2
    with reading() as db:
        assert len(team.open_invitations(db, owner)) == 1


def test_a_sign_in_serves_no_other_person(owner: Member) -> None:
    app = visit(owner, "home")
    thief = arriving(ANNA, secret=app.user[SIGN_IN])

    assert is_at_the_door(thief)


def test_an_open_tab_is_signed_out_at_its_next_run(owner: Member) -> None:
    app = visit(owner, "home")
    assert not is_at_the_door(app)

    with transaction() as db:
        sign_ins.end(db, app.user[SIGN_IN])

    assert is_at_the_door(app.run())


def test_an_open_tab_loses_the_rights_of_a_role_at_its_next_run(owner: Member) -> None:
    editor = rows.colleague(owner, Role.editor)
    app = visit(editor, "api_keys")
    assert any(button.label == "Create key" for button in app.button)

    with transaction() as db:
        team.change_role(db, owner, user_id=editor.user_id, role=Role.viewer)

    assert not any(button.label == "Create key" for button in app.run().button)


def test_a_member_who_was_removed_sees_nothing_of_the_workspace(owner: Member) -> None:
    editor = rows.colleague(owner, Role.editor)
    app = visit(editor, "home")

    with transaction() as db:
        name = db.get_one(Tenant, owner.tenant_id).name
        team.remove_member(db, owner, user_id=editor.user_id)

    assert name not in words(app.run())
    assert "You belong to no workspace" in words(app)


def test_a_person_who_was_switched_off_is_out_at_the_next_run(owner: Member) -> None:
    app = visit(owner, "home")

    with transaction() as db:
        user = db.get_one(User, owner.user_id)
        user.disabled_at = now.now()
        db.add(user)

    assert "Your access was switched off" in words(app.run())
    assert app.title == []


def test_using_the_portal_keeps_one_signed_in(owner: Member, clock: Clock) -> None:
    app = visit(owner, "home")

    for _ in range(3):
        clock.advance(40 * 60)
        assert not is_at_the_door(app.run())

    clock.advance(61 * 60)
    assert is_at_the_door(app.run())


def test_who_never_pauses_signs_in_again_after_the_hours_of_a_day(
    owner: Member, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEPORT_SESSION_HOURS", "2")
    settings.cache_clear()
    app = visit(owner, "home")

    for _ in range(2):
        clock.advance(50 * 60)
        assert not is_at_the_door(app.run())

    clock.advance(21 * 60)
    assert is_at_the_door(app.run())


def second_workspace(member: Member) -> str:
    with transaction() as db:
        tenant = factories.create_tenant(db, name="Zeta")
        db.add(Membership(tenant_id=tenant.id, user_id=member.user_id, role=Role.viewer))
    return tenant.id


def test_one_workspace_needs_no_choice(owner: Member) -> None:
    assert visit(owner, "home").sidebar.selectbox == []


def test_another_workspace_is_chosen_and_kept_from_page_to_page(owner: Member) -> None:
    zeta = second_workspace(owner)
    app = visit(owner, "home")

    app.sidebar.selectbox[0].select(zeta).run()
    assert "Zeta" in words(app)
    assert app.query_params[WORKSPACE] == zeta

    app.query_params = {}
    app.switch_page("views/customer/members.py").run()
    assert "Who may enter Zeta" in words(app)


def test_a_link_opens_the_workspace_that_it_names(owner: Member) -> None:
    zeta = second_workspace(owner)

    assert "Who may enter Zeta" in words(visit(owner, "members", workspace=zeta))


def test_a_link_opens_nobody_elses_workspace(owner: Member) -> None:
    elsewhere = rows.stranger().tenant_id

    foreign = words(visit(owner, "members", workspace=elsewhere))
    random = words(visit(owner, "members", workspace="ten_0000"))

    assert foreign == random


def test_our_own_people_have_no_customers_pages(operator: Staff) -> None:
    app = opened_by(operator.user_id)

    assert not app.exception
    assert app.title[0].value == "Overview"
