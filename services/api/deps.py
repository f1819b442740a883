"""Who is calling: an API key, or the portal's signed word for a person."""

import time
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session

from services.accounts import keys, team
from services.accounts import service as accounts
from services.accounts.errors import BadApiKey, PersonDisabled, WorkspaceSuspended
from services.accounts.scope import Member, Role, RoleMissing
from services.accounts.tables import User
from services.db import reading, transaction
from services.inference import tokens

_TOUCH_EVERY_SECONDS = 60.0

_bearer = HTTPBearer(auto_error=False, bearerFormat="tp_…", description="A key from the API keys page.")
# Key id -> when this process last noted its use: a write for each request would be dear.
_touched: dict[str, float] = {}


def caller(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Member:
    """The member who sent the request.

    Raises:
        BadApiKey: no key, or no live one.
        BadToken: the portal's word is not genuine or too old.
        PersonDisabled, WorkspaceSuspended: known, but shut out.
    """
    if credentials is None:
        raise BadApiKey
    word = credentials.credentials
    with reading() as db:
        if "." in word:  # which no key holds, and every signed word
            return _person(db, tokens.read(word))
        member = keys.authenticate_key(db, word)
    _note_use(member)
    return member


Caller = Annotated[Member, Depends(caller)]


def billing_caller(member: Caller) -> Member:
    """The caller, where the role reaches money; a key reaches as far as whoever made it still does.

    Raises:
        RoleMissing: it does not.
    """
    if member.key_id is None:
        member.require(Role.billing)
        return member
    with reading() as db:
        made_by = next(key.created_by for key in keys.list_keys(db, member) if key.id == member.key_id)
        roles = {colleague.user_id: colleague.role for colleague in team.colleagues(db, member)}
    # Keys of the command line were made by the operator, for the workspace as a whole.
    role = Role.owner if made_by is None else roles.get(made_by, Role.viewer)
    if not replace(member, role=role).may(Role.billing):
        raise RoleMissing(role, Role.billing)
    return replace(member, role=Role.billing)


BillingCaller = Annotated[Member, Depends(billing_caller)]


def usage_caller(member: Caller) -> Member:
    """The caller, where the operator has made its key to tell of use.

    Raises:
        KeyTellsNoUsage: it was not.
    """
    with reading() as db:
        keys.require_usage_key(db, member)
    return member


UsageCaller = Annotated[Member, Depends(usage_caller)]


def request_id(request: Request) -> str:
    """The id of this request, which its response carries too."""
    found: str = request.state.request_id
    return found


RequestId = Annotated[str, Depends(request_id)]


def _person(session: Session, bearer: tokens.Bearer) -> Member:
    user = session.get(User, bearer.user_id)
    if user is None:
        raise tokens.BadToken
    if user.disabled_at is not None:
        raise PersonDisabled
    for tenant, role in accounts.memberships(session, user):
        if tenant.id == bearer.tenant_id:
            if tenant.suspended_at is not None:
                raise WorkspaceSuspended(tenant.name)
            return Member(tenant_id=tenant.id, role=role, user_id=user.id)
    raise tokens.BadToken


def _note_use(member: Member) -> None:
    assert member.key_id is not None
    now = time.monotonic()
    if now - _touched.get(member.key_id, -_TOUCH_EVERY_SECONDS) < _TOUCH_EVERY_SECONDS:
        return
    with transaction() as db:
        keys.touch_key(db, member)
    _touched[member.key_id] = now
