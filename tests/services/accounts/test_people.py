"""Who gets into which workspace."""

import pytest
from sqlmodel import Session

from services.accounts import service as accounts
from services.accounts import sign_ins, team
from services.accounts.errors import AlreadyMember, BadEmail, InvitationNeeded, LastOwner, PersonDisabled
from services.accounts.scope import Member, Role, RoleMissing, StaffRole
from services.accounts.service import Identity
from services.config import settings
from services.errors import NotFound
from tests import factories
from tests.conftest import Clock

ANNA = Identity("https://id.example", "anna", "Anna@Example.com", email_verified=True, name="Anna")


def test_a_first_sign_in_opens_a_workspace_of_ones_own(session: Session) -> None:
    anna = accounts.arrive(session, ANNA)

    [(tenant, role)] = accounts.memberships(session, anna)
    assert (tenant.name, role) == ("Anna’s workspace", Role.owner)


def test_signing_in_again_is_the_same_person(session: Session) -> None:
    first = accounts.arrive(session, ANNA)

    again = accounts.arrive(session, ANNA)

    assert again.id == first.id
    assert len(accounts.memberships(session, again)) == 1


def test_the_same_subject_at_another_issuer_is_somebody_else(session: Session) -> None:
    anna = accounts.arrive(session, ANNA)

    other = accounts.arrive(session, Identity("https://evil.example", "anna", "anna@example.com", True))

    assert other.id != anna.id


def test_without_self_service_a_stranger_is_told_whom_to_ask(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEPORT_SELF_SERVICE", "false")
    settings.cache_clear()

    with pytest.raises(InvitationNeeded, match=r"anna@example\.com"):
        accounts.arrive(session, ANNA)


def test_an_invitation_is_taken_up_by_its_verified_address(session: Session, member: Member) -> None:
    team.invite(session, member, email="anna@example.com", role=Role.editor)

    anna = accounts.arrive(session, ANNA)

    assert [(tenant.id, role) for tenant, role in accounts.memberships(session, anna)] == [
        (member.tenant_id, Role.editor)
    ]
    assert team.open_invitations(session, member) == []


def test_an_unverified_address_joins_nobody(session: Session, member: Member) -> None:
    team.invite(session, member, email="anna@example.com", role=Role.editor)

    impostor = accounts.arrive(session, Identity("https://id.example", "x", "anna@example.com", False))

    assert all(tenant.id != member.tenant_id for tenant, _ in accounts.memberships(session, impostor))


def test_an_invitation_runs_out(session: Session, member: Member, clock: Clock) -> None:
    team.invite(session, member, email="anna@example.com", role=Role.editor)

    clock.advance(team.INVITATION_LIFE.total_seconds() + 1)
    anna = accounts.arrive(session, ANNA)

    assert all(tenant.id != member.tenant_id for tenant, _ in accounts.memberships(session, anna))


def test_a_disabled_person_stays_out(session: Session, clock: Clock) -> None:
    anna = accounts.arrive(session, ANNA)
    anna.disabled_at = anna.created_at
    session.add(anna)
    session.flush()

    with pytest.raises(PersonDisabled):
        accounts.arrive(session, ANNA)


def test_inviting_a_colleague_again_is_refused(session: Session, member: Member) -> None:
    accounts.arrive(session, ANNA)
    team.invite(session, member, email="anna@example.com", role=Role.viewer)
    accounts.arrive(session, ANNA)

    with pytest.raises(AlreadyMember):
        team.invite(session, member, email="anna@example.com", role=Role.viewer)


@pytest.mark.parametrize("email", ["", "anna", "anna@", "a b@example.com"])
def test_an_invitation_needs_an_address(session: Session, member: Member, email: str) -> None:
    with pytest.raises(BadEmail):
        team.invite(session, member, email=email, role=Role.viewer)


def test_only_owners_invite(session: Session, member_as) -> None:
    with pytest.raises(RoleMissing):
        team.invite(session, member_as(Role.editor), email="b@example.com", role=Role.viewer)


def test_the_last_owner_stays(session: Session, member: Member) -> None:
    with pytest.raises(LastOwner):
        team.change_role(session, member, user_id=member.user_id, role=Role.viewer)
    with pytest.raises(LastOwner):
        team.remove_member(session, member, user_id=member.user_id)


def test_a_second_owner_may_take_over(session: Session, member: Member, member_as) -> None:
    second = member_as(Role.owner)

    team.change_role(session, second, user_id=member.user_id, role=Role.viewer)

    roles = {one.user_id: one.role for one in team.colleagues(session, second)}
    assert roles[member.user_id] is Role.viewer


def test_a_strangers_role_cannot_be_changed(session: Session, member: Member) -> None:
    stranger = factories.create_member(session)

    with pytest.raises(NotFound):
        team.change_role(session, member, user_id=stranger.user_id, role=Role.viewer)


def test_staff_are_known_by_verified_address_only(session: Session) -> None:
    accounts.grant_staff(session, email="ops@tuneport.example", role=StaffRole.admin)
    real = factories.create_user(session, email="ops@tuneport.example")
    fake = factories.create_user(session, email="ops@tuneport.example", email_verified=False)

    assert accounts.staff(session, real).role is StaffRole.admin
    assert accounts.staff(session, fake) is None


def test_the_log_tells_who_did_what(session: Session, member: Member) -> None:
    team.invite(session, member, email="b@example.com", role=Role.viewer)

    [(entry, _name)] = team.audit_log(session, member)

    assert (entry.action, entry.actor) == ("invitation.sent", member.user_id)


def test_a_signed_in_browser_ends_by_logout(session: Session) -> None:
    token = sign_ins.begin(session)
    assert sign_ins.is_live(session, token)

    sign_ins.end(session, token)

    assert not sign_ins.is_live(session, token)


def test_a_silent_browser_is_signed_out(session: Session, clock: Clock) -> None:
    token = sign_ins.begin(session)

    clock.advance(61 * 60)

    assert not sign_ins.is_live(session, token)


def test_a_busy_browser_is_signed_out_after_the_working_day(session: Session, clock: Clock) -> None:
    token = sign_ins.begin(session)

    for _ in range(24):
        clock.advance(30 * 60)
        sign_ins.touch(session, token)

    assert not sign_ins.is_live(session, token)


def test_signing_out_everywhere_ends_every_browser(session: Session) -> None:
    user = factories.create_user(session)
    laptop, phone = sign_ins.begin(session), sign_ins.begin(session)
    assert sign_ins.bind(session, laptop, user)
    assert sign_ins.bind(session, phone, user)

    sign_ins.end_everywhere(session, user.id)

    assert not sign_ins.is_live(session, laptop)
    assert not sign_ins.is_live(session, phone)


def test_one_persons_cookie_serves_nobody_else(session: Session) -> None:
    token = sign_ins.begin(session)
    assert sign_ins.bind(session, token, factories.create_user(session))

    assert not sign_ins.bind(session, token, factories.create_user(session))
