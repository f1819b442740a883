"""API keys are worthless in a dump and die at once."""

import pytest
from sqlmodel import Session, select

from services.accounts import keys, secrets
from services.accounts.errors import BadApiKey, BadName
from services.accounts.scope import Member, Role, RoleMissing
from services.accounts.tables import ApiKey


def test_a_key_speaks_for_its_workspace(session: Session, member: Member) -> None:
    key, secret = keys.create_key(session, member, name="production server")

    caller = keys.authenticate_key(session, secret)

    assert caller.tenant_id == member.tenant_id
    assert caller.key_id == key.id
    assert caller.role is Role.editor


def test_the_database_holds_no_part_that_would_open_the_door(session: Session, member: Member) -> None:
    _, secret = keys.create_key(session, member, name="server")

    row = session.exec(select(ApiKey).where(ApiKey.tenant_id == member.tenant_id)).one()

    assert secret not in str(row.model_dump())
    assert len(row.hint) < 10


def test_a_revoked_key_is_refused_at_once(session: Session, member: Member) -> None:
    key, secret = keys.create_key(session, member, name="server")

    keys.revoke_key(session, member, key_id=key.id)

    with pytest.raises(BadApiKey):
        keys.authenticate_key(session, secret)


@pytest.mark.parametrize("wrong", ["", "tp_", "sk-123", "tp_" + "a" * 46, "tp_ÄÖÜ"])
def test_what_is_no_key_is_refused(session: Session, wrong: str) -> None:
    with pytest.raises(BadApiKey):
        keys.authenticate_key(session, wrong)


def test_a_well_formed_key_that_nobody_made_is_refused(session: Session) -> None:
    stranger = secrets.new_api_key()

    assert secrets.looks_like_api_key(stranger)
    with pytest.raises(BadApiKey):
        keys.authenticate_key(session, stranger)


def test_a_viewer_makes_no_keys(session: Session, member_as) -> None:
    with pytest.raises(RoleMissing):
        keys.create_key(session, member_as(Role.viewer), name="server")


def test_a_key_needs_a_name(session: Session, member: Member) -> None:
    with pytest.raises(BadName):
        keys.create_key(session, member, name="   ")


def test_last_use_is_noted(session: Session, member: Member) -> None:
    key, secret = keys.create_key(session, member, name="server")

    keys.touch_key(session, keys.authenticate_key(session, secret))

    assert key.last_used_at is not None
