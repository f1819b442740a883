"""How a workspace begins: people arrive or operators open one, and each starts on the free trial."""

from sqlmodel import Session

from services.accounts import service as accounts
from services.accounts.scope import Member, Role
from services.accounts.service import Identity
from services.accounts.tables import Tenant, User
from services.billing.credits import grant_trial


def arrive(session: Session, identity: Identity) -> User:
    """The person behind an identity, at sign-in: see `accounts.arrive`; a new workspace gets its trial.

    Raises:
        PersonDisabled: access was taken away.
        InvitationNeeded: in no workspace, and self-service is off.
    """
    user = accounts.arrive(session, identity)
    for tenant, role in accounts.memberships(session, user):
        grant_trial(session, Member(tenant_id=tenant.id, role=role, user_id=user.id))
    return user


def open_workspace(session: Session, *, name: str, owner_email: str) -> Tenant:
    """A workspace on trial, with a place kept for whoever proves to own the e-mail.

    Raises:
        BadName: the name is empty or over 80 characters.
        BadEmail: it is no address.
    """
    tenant = accounts.create_tenant(session, name=name, owner_email=owner_email)
    grant_trial(session, Member(tenant_id=tenant.id, role=Role.owner))
    return tenant
