"""API keys: made, shown once, recognised, revoked."""

from datetime import timedelta

from sqlmodel import Session, col

from services import clock
from services.accounts import audit, secrets
from services.accounts.errors import BadApiKey, BadName, KeyTellsNoUsage, WorkspaceSuspended
from services.accounts.scope import Member, Role, across, find, owned
from services.accounts.tables import ApiKey, Tenant

_HINT_LENGTH = 9
# Last use is for people to look at; a write per request would be dear.
_LAST_USE_PRECISION = timedelta(minutes=1)


def create_key(
    session: Session, member: Member, *, name: str, tells_usage: bool = False
) -> tuple[ApiKey, str]:
    """Make a key; the second value is the secret, which cannot be shown again.

    One that `tells_usage` writes to the ledger, and is made by the operator alone.

    Raises:
        BadName: the name is empty or over 80 characters.
    """
    member.require(Role.editor)
    name = name.strip()
    if not 1 <= len(name) <= 80:
        raise BadName("key")
    secret = secrets.new_api_key()
    key = ApiKey(
        tenant_id=member.tenant_id,
        name=name,
        hint=secret[:_HINT_LENGTH],
        digest=secrets.digest(secret),
        created_by=member.user_id,
        tells_usage=tells_usage,
    )
    session.add(key)
    session.flush()
    audit.record(session, member, "api_key.created", key.id, name=name)
    return key, secret


def list_keys(session: Session, member: Member) -> list[ApiKey]:
    """The workspace's keys, newest first, revoked ones too."""
    return list(session.exec(owned(ApiKey, member).order_by(col(ApiKey.id).desc())).all())


def revoke_key(session: Session, member: Member, *, key_id: str) -> None:
    """End a key: the next request with it is refused. Revoking twice is fine.

    Raises:
        NotFound: no such key in this workspace.
    """
    member.require(Role.editor)
    key = find(session, member, ApiKey, key_id, "API key")
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        session.add(key)
        audit.record(session, member, "api_key.revoked", key.id, name=key.name)


def authenticate_key(session: Session, secret: str) -> Member:
    """Who acts with this key: an editor of its tenant.

    Raises:
        BadApiKey: no live key is this one.
        WorkspaceSuspended: it is one of a workspace in which nothing may be started.
    """
    if not secrets.looks_like_api_key(secret):
        raise BadApiKey
    statement = (
        across(ApiKey)
        .join(Tenant)
        .add_columns(Tenant)
        .where(col(ApiKey.digest) == secrets.digest(secret), col(ApiKey.revoked_at).is_(None))
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        raise BadApiKey
    key, tenant = found
    if tenant.suspended_at is not None:
        raise WorkspaceSuspended(tenant.name)
    return Member(tenant_id=key.tenant_id, role=Role.editor, key_id=key.id)


def require_usage_key(session: Session, member: Member) -> None:
    """Does the member act with a key that may tell of use?

    Raises:
        KeyTellsNoUsage: it does not.
    """
    key = None if member.key_id is None else find(session, member, ApiKey, member.key_id, "API key")
    if key is None or not key.tells_usage:
        raise KeyTellsNoUsage


def touch_key(session: Session, member: Member) -> None:
    """Note that the member's key was used, to the minute."""
    if member.key_id is None:
        return
    key = find(session, member, ApiKey, member.key_id, "API key")
    if key.last_used_at is None or clock.now() - key.last_used_at > _LAST_USE_PRECISION:
        key.last_used_at = clock.now()
        session.add(key)
        session.flush()
