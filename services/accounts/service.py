"""Workspaces, and people arriving in them."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from services import clock
from services.accounts import audit
from services.accounts.errors import BadName, InvitationNeeded, PersonDisabled, WorkspaceSuspended
from services.accounts.scope import Member, Role, Staff, StaffRole, across
from services.accounts.tables import Invitation, Membership, StaffGrant, Tenant, User
from services.accounts.team import checked_email, invite
from services.config import settings
from services.errors import NotFound


@dataclass(frozen=True)
class Identity:
    """What an identity provider said about the person in front of us."""

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""


def arrive(session: Session, identity: Identity) -> User:
    """The person behind an identity, made at the first sign-in; open invitations are taken up.

    A person without any workspace gets one of their own where self-service is on.

    Raises:
        PersonDisabled: access was taken away.
        InvitationNeeded: in no workspace, and self-service is off.
    """
    user = session.exec(
        select(User).where(User.issuer == identity.issuer, User.subject == identity.subject)
    ).one_or_none()
    if user is None:
        user = User(issuer=identity.issuer, subject=identity.subject)
    if user.disabled_at is not None:
        raise PersonDisabled
    user.email = identity.email.strip().lower()
    user.email_verified = identity.email_verified
    user.name = identity.name or user.email.partition("@")[0] or "Somebody"
    session.add(user)
    session.flush()

    _take_up_invitations(session, user)
    if not memberships(session, user) and staff(session, user) is None:
        if not settings().self_service:
            raise InvitationNeeded(user.email)
        create_tenant(session, name=f"{user.name}’s workspace", owner=user)
    return user


def _take_up_invitations(session: Session, user: User) -> None:
    # Only a verified address proves that the invitation was meant for this person.
    if not (user.email and user.email_verified):
        return
    for invitation in session.exec(
        across(Invitation).where(
            Invitation.email == user.email,
            Invitation.accepted_at == None,  # noqa: E711
            Invitation.revoked_at == None,  # noqa: E711
            Invitation.expires_at > clock.now(),
        )
    ):
        invitation.accepted_at = clock.now()
        session.add(invitation)
        known = session.exec(
            across(Membership).where(
                Membership.tenant_id == invitation.tenant_id, Membership.user_id == user.id
            )
        ).one_or_none()
        if known is None:
            session.add(Membership(tenant_id=invitation.tenant_id, user_id=user.id, role=invitation.role))
        audit.record(
            session,
            user.id,
            "invitation.accepted",
            invitation.id,
            tenant_id=invitation.tenant_id,
            email=invitation.email,
            role=invitation.role,
        )
    session.flush()


def create_tenant(session: Session, *, name: str, owner: User | None = None, owner_email: str = "") -> Tenant:
    """Open a workspace for a person who is here, or for whoever proves to own `owner_email`.

    Raises:
        BadName: the name is empty or over 80 characters.
        BadEmail: `owner_email` is none.
    """
    name = name.strip()
    if not 1 <= len(name) <= 80:
        raise BadName("workspace")
    tenant = Tenant(name=name)
    session.add(tenant)
    session.flush()
    audit.record(
        session, owner.id if owner else audit.SYSTEM, "tenant.created", tenant.id, tenant_id=tenant.id
    )
    if owner is not None:
        session.add(Membership(tenant_id=tenant.id, user_id=owner.id, role=Role.owner))
    else:
        founder = Member(tenant_id=tenant.id, role=Role.owner)
        invite(session, founder, email=owner_email, role=Role.owner)
    session.flush()
    return tenant


def tenant_by_name(session: Session, name: str) -> Tenant:
    """The one workspace with this name; for operators, who type names.

    Raises:
        NotFound: none, or several, have it.
    """
    found = session.exec(select(Tenant).where(Tenant.name == name)).all()
    if len(found) != 1:
        raise NotFound("workspace")
    return found[0]


def all_tenants(session: Session) -> list[Tenant]:
    """Every workspace, oldest first; for operators."""
    return list(session.exec(select(Tenant).order_by(Tenant.id)))


def get_tenant(session: Session, member: Member) -> Tenant:
    """The member's workspace."""
    return session.get_one(Tenant, member.tenant_id)


def lock_tenant(session: Session, member: Member) -> Tenant:
    """The member's workspace, held until the transaction ends: whoever decides by counting locks it first.

    Rows that merely refer to the workspace may still be added by others (`FOR NO KEY UPDATE` on Postgres).

    Raises:
        WorkspaceSuspended: nothing may be started in it.
    """
    tenant = lock_tenant_to_bill(session, member)
    if tenant.suspended_at is not None:
        raise WorkspaceSuspended(tenant.name)
    return tenant


def lock_tenant_to_bill(session: Session, member: Member) -> Tenant:
    """As `lock_tenant`, also where the workspace is suspended: it owes and pays all the same."""
    statement = select(Tenant).where(Tenant.id == member.tenant_id).with_for_update(key_share=True)
    return session.exec(statement.execution_options(populate_existing=True)).one()


def memberships(session: Session, user: User) -> list[tuple[Tenant, Role]]:
    """The workspaces that a person may enter, by name, with the role in each."""
    held = session.exec(across(Membership).where(Membership.user_id == user.id)).all()
    roles = {membership.tenant_id: membership.role for membership in held}
    tenants = session.exec(select(Tenant).where(col(Tenant.id).in_(roles)).order_by(Tenant.name))
    return [(tenant, roles[tenant.id]) for tenant in tenants]


def staff(session: Session, user: User) -> Staff | None:
    """The person as one of our own people, or None; only a verified e-mail counts."""
    grant = session.get(StaffGrant, user.email) if user.email_verified and user.email else None
    return None if grant is None else Staff(user_id=user.id, role=grant.role)


def grant_staff(session: Session, *, email: str, role: StaffRole) -> None:
    """Make whoever proves to own this e-mail one of our own people.

    Raises:
        BadEmail: it is none.
    """
    email = checked_email(email)
    session.merge(StaffGrant(email=email, role=role))
    audit.record(session, audit.SYSTEM, "staff.granted", email, role=role)
