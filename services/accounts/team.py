"""The people of a workspace: members and their roles, invitations, the audit log."""

import re
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, select

from services import clock
from services.accounts import audit
from services.accounts.errors import AlreadyMember, BadEmail, LastOwner
from services.accounts.scope import Member, Role, find, owned
from services.accounts.tables import AuditEntry, Invitation, Membership, Tenant, User
from services.errors import NotFound

INVITATION_LIFE = timedelta(days=14)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Colleague:
    """A member of a workspace as others see them."""

    user_id: str
    name: str
    email: str
    role: Role


def invite(session: Session, member: Member, *, email: str, role: Role) -> Invitation:
    """Keep a place for whoever signs in with this verified e-mail; an open invitation is renewed.

    Raises:
        BadEmail: it is none.
        AlreadyMember: the person is in the workspace.
    """
    member.require(Role.owner)
    email = checked_email(email)
    if any(colleague.email == email for colleague in colleagues(session, member)):
        raise AlreadyMember(email)
    for earlier in open_invitations(session, member):
        if earlier.email == email:
            earlier.revoked_at = clock.now()
            session.add(earlier)
    invitation = Invitation(
        tenant_id=member.tenant_id,
        email=email,
        role=role,
        invited_by=member.user_id,
        expires_at=clock.now() + INVITATION_LIFE,
    )
    session.add(invitation)
    session.flush()
    audit.record(session, member, "invitation.sent", invitation.id, email=email, role=role)
    return invitation


def open_invitations(session: Session, member: Member) -> list[Invitation]:
    """Invitations that somebody may still take up, newest first."""
    statement = owned(Invitation, member).where(
        Invitation.accepted_at == None,  # noqa: E711
        Invitation.revoked_at == None,  # noqa: E711
        Invitation.expires_at > clock.now(),
    )
    return list(session.exec(statement.order_by(Invitation.id.desc())).all())  # type: ignore[attr-defined]


def revoke_invitation(session: Session, member: Member, *, invitation_id: str) -> None:
    """Take an invitation back.

    Raises:
        NotFound: no such invitation in this workspace.
    """
    member.require(Role.owner)
    invitation = find(session, member, Invitation, invitation_id, "invitation")
    invitation.revoked_at = clock.now()
    session.add(invitation)
    audit.record(session, member, "invitation.revoked", invitation.id, email=invitation.email)


def colleagues(session: Session, member: Member) -> list[Colleague]:
    """Everybody in the workspace, by name."""
    roles = {held.user_id: held.role for held in session.exec(owned(Membership, member))}
    people = session.exec(select(User).where(col(User.id).in_(roles)).order_by(User.name, User.id))
    return [Colleague(user.id, user.name, user.email, roles[user.id]) for user in people]


def change_role(session: Session, member: Member, *, user_id: str, role: Role) -> None:
    """Give a member another role; it counts from their next step on.

    Raises:
        NotFound: not a member of this workspace.
        LastOwner: nobody would be left in charge.
    """
    member.require(Role.owner)
    _lock(session, member)
    held = _membership(session, member, user_id)
    if held.role is Role.owner and role is not Role.owner:
        _keep_an_owner(session, member)
    held.role = role
    session.add(held)
    audit.record(session, member, "member.role_changed", user_id, role=role)


def remove_member(session: Session, member: Member, *, user_id: str) -> None:
    """Take a person out of the workspace, at their next step.

    Raises:
        NotFound: not a member of this workspace.
        LastOwner: nobody would be left in charge.
    """
    member.require(Role.owner)
    _lock(session, member)
    held = _membership(session, member, user_id)
    if held.role is Role.owner:
        _keep_an_owner(session, member)
    session.delete(held)
    audit.record(session, member, "member.removed", user_id)


def audit_log(session: Session, member: Member, *, limit: int = 100) -> list[tuple[AuditEntry, str]]:
    """What was done in the workspace, newest first, each with the name of who did it."""
    member.require(Role.owner)
    names = {colleague.user_id: colleague.name for colleague in colleagues(session, member)}
    entries = session.exec(
        select(AuditEntry)
        .where(AuditEntry.tenant_id == member.tenant_id)
        .order_by(col(AuditEntry.id).desc())
        .limit(limit)
    )
    return [(entry, names.get(entry.actor, entry.actor)) for entry in entries]


def _lock(session: Session, member: Member) -> None:
    # Owners are counted, then changed: two at once must not both see the other one left.
    session.exec(select(Tenant.id).where(Tenant.id == member.tenant_id).with_for_update(key_share=True)).one()


def _membership(session: Session, member: Member, user_id: str) -> Membership:
    held = session.exec(owned(Membership, member).where(Membership.user_id == user_id)).one_or_none()
    if held is None:
        raise NotFound("member")
    return held


def _keep_an_owner(session: Session, member: Member) -> None:
    owners = session.exec(owned(Membership, member).where(Membership.role == Role.owner)).all()
    if len(owners) < 2:
        raise LastOwner


def checked_email(email: str) -> str:
    """The address in the form in which it is compared.

    Raises:
        BadEmail: it is none.
    """
    email = email.strip().lower()
    if not _EMAIL.fullmatch(email) or len(email) > 254:
        raise BadEmail(email)
    return email
