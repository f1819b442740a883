"""Members: who is in, who may come, and what was done."""

from streamlit.testing.v1 import AppTest

from services.accounts import sign_ins, team
from services.accounts.scope import Member, Role
from services.accounts.tables import Tenant
from services.db import reading, transaction
from tests.portal import rows
from tests.portal.conftest import person
from tests.portal.visitor import button, visit, words


def roles(member: Member) -> dict[str | None, Role]:
    with reading() as db:
        return {colleague.user_id: colleague.role for colleague in team.colleagues(db, member)}


def invite(app: AppTest, email: str, role: Role) -> AppTest:
    button(app, "Invite").click().run()
    app.text_input(key="invite_email").set_value(email)
    app.radio(key="invite_role").set_value(role)
    (submit,) = app.form_submit_button
    return submit.click().run()


def test_everybody_is_listed_with_their_role(owner: Member) -> None:
    viewer = rows.colleague(owner, Role.viewer)

    written = words(visit(viewer, "members"))

    for member in (owner, viewer):
        assert person(member.user_id).name in written
        assert person(member.user_id).email.replace("@", "") in written.replace("@", "").replace(
            ":gray[]", ""
        ).replace("\\", "")


def test_an_owner_invites_by_address(owner: Member) -> None:
    app = invite(visit(owner, "members"), "Finance@Acme.example", Role.billing)

    assert not app.error
    with reading() as db:
        [invitation] = team.open_invitations(db, owner)
    assert (invitation.email, invitation.role) == ("finance@acme.example", Role.billing)
    assert "as billing, runs out in 13 days" in words(app)


def test_a_wrong_address_is_refused_in_plain_words(owner: Member) -> None:
    app = invite(visit(owner, "members"), "nobody", Role.viewer)

    assert "is not an e" in app.error[0].value
    with reading() as db:
        assert team.open_invitations(db, owner) == []


def test_an_invitation_is_taken_back(owner: Member) -> None:
    with transaction() as db:
        team.invite(db, owner, email="b@example.com", role=Role.viewer)
    app = visit(owner, "members")

    button(app, "Take back").click().run()
    [_, agree] = [one for one in app.button if one.label == "Take back"]
    agree.click().run()

    with reading() as db:
        assert team.open_invitations(db, owner) == []


def test_a_role_is_changed_in_its_row(owner: Member) -> None:
    viewer = rows.colleague(owner, Role.viewer)
    app = visit(owner, "members")

    app.selectbox(key=f"role_{viewer.user_id}").select(Role.editor).run()

    assert roles(owner)[viewer.user_id] is Role.editor


def test_the_last_owner_stays_and_the_row_says_so(owner: Member) -> None:
    app = visit(owner, "members")

    app.selectbox(key=f"role_{owner.user_id}").select(Role.viewer).run()

    assert "A workspace needs an owner" in app.error[0].value
    assert roles(owner)[owner.user_id] is Role.owner
    assert app.selectbox(key=f"role_{owner.user_id}").value == Role.owner


def test_a_member_is_removed_after_a_question(owner: Member) -> None:
    viewer = rows.colleague(owner, Role.viewer)
    app = visit(owner, "members")

    app.button(key=f"remove_{viewer.user_id}").click().run()
    assert viewer.user_id in roles(owner)
    button(app, "Remove member").click().run()

    assert viewer.user_id not in roles(owner)


def test_signing_out_everywhere_ends_this_browser_too(owner: Member) -> None:
    elsewhere = visit(owner, "home")
    app = visit(owner, "members")

    button(app, "Sign out everywhere").click().run()
    app.button(key="confirm_go").click().run()

    with reading() as db:
        for browser in (app, elsewhere):
            assert not sign_ins.is_live(db, browser.user["sign_in"])
    assert app.title == []


def test_only_owners_see_the_log_and_change_people(owner: Member) -> None:
    rows.colleague(owner, Role.viewer)
    app = visit(rows.colleague(owner, Role.editor), "members")

    assert "Audit log" not in words(app)
    assert not app.selectbox
    assert {one.label for one in app.button} == {"Sign out everywhere", ""}


def test_the_log_tells_who_did_what(owner: Member) -> None:
    with transaction() as db:
        team.invite(db, owner, email="b@example.com", role=Role.viewer)

    log = visit(owner, "members").dataframe[0].value

    [row] = log[log["What"] == "Invitation sent"].to_dict("records")
    assert (row["Who"], row["About"]) == (person(owner.user_id).name, "b@example.com, viewer")


def test_times_are_those_of_the_workspace(owner: Member) -> None:
    with transaction() as db:
        tenant = db.get_one(Tenant, owner.tenant_id)
        tenant.time_zone = "Asia/Tokyo"
        db.add(tenant)

    assert str(visit(owner, "members").dataframe[0].value["When"].dt.tz) == "Asia/Tokyo"
