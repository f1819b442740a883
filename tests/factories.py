"""Rows for tests, with sensible defaults by keyword."""

from itertools import count

from sqlmodel import Session

from services.accounts.scope import Member, Role
from services.accounts.tables import Membership, Tenant, User

_numbers = count(1)


def create_tenant(session: Session, *, name: str = "", **columns: object) -> Tenant:
    tenant = Tenant(name=name or f"Workspace {next(_numbers)}", **columns)
    session.add(tenant)
    session.flush()
    return tenant


def create_user(session: Session, *, email: str = "", email_verified: bool = True, **columns: object) -> User:
    number = next(_numbers)
    user = User(
        issuer="https://identity.example",
        subject=f"subject-{number}",
        email=email or f"person{number}@example.com",
        email_verified=email_verified,
        name=f"Person {number}",
        **columns,
    )
    session.add(user)
    session.flush()
    return user


def create_member(session: Session, *, tenant_id: str = "", role: Role = Role.owner) -> Member:
    tenant_id = tenant_id or create_tenant(session).id
    user = create_user(session)
    session.add(Membership(tenant_id=tenant_id, user_id=user.id, role=role))
    session.flush()
    return Member(tenant_id=tenant_id, role=role, user_id=user.id)
