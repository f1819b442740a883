"""Who is asking, and which rows they may see."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, select
from sqlmodel.sql.expression import SelectOfScalar

from services.errors import Forbidden, NotFound


class Role(StrEnum):
    """What a member may do in a workspace."""

    owner = "owner"
    editor = "editor"
    billing = "billing"
    viewer = "viewer"


class StaffRole(StrEnum):
    """What our own people may do."""

    admin = "admin"
    sales = "sales"


# An owner may do all that the others may; editor and billing are different duties, not ranks.
_INCLUDES = {
    Role.owner: {Role.owner, Role.editor, Role.billing, Role.viewer},
    Role.editor: {Role.editor, Role.viewer},
    Role.billing: {Role.billing, Role.viewer},
    Role.viewer: {Role.viewer},
}


class RoleMissing(Forbidden):
    """The member's role does not allow this."""

    code = "role_missing"

    def __init__(self, has: Role, needs: Role) -> None:
        super().__init__(
            f"This needs the role {needs} in this workspace, and yours is {has}. Ask an owner to change it."
        )
        self.has, self.needs = has, needs


class StaffOnly(Forbidden):
    """Not one of our own people, or not in this role."""

    code = "staff_only"

    def __init__(self, needs: StaffRole) -> None:
        super().__init__(f"This page is for our own {needs} staff. Go back to your workspace.")
        self.needs = needs


@dataclass(frozen=True)
class Member:
    """Somebody acting in one tenant: a person, or a program holding one of its API keys."""

    tenant_id: str
    role: Role
    user_id: str | None = None
    key_id: str | None = None

    def require(self, role: Role) -> None:
        """Go on only in this role, or one that includes it.

        Raises:
            RoleMissing: otherwise.
        """
        if role not in _INCLUDES[self.role]:
            raise RoleMissing(self.role, role)

    def may(self, role: Role) -> bool:
        """Would `require(role)` let this member through?"""
        return role in _INCLUDES[self.role]


@dataclass(frozen=True)
class Staff:
    """One of our own people."""

    user_id: str
    role: StaffRole

    def require(self, role: StaffRole) -> None:
        """Go on only in this role; admins may do what sales may.

        Raises:
            StaffOnly: otherwise.
        """
        if self.role is not role and self.role is not StaffRole.admin:
            raise StaffOnly(role)


class TenantOwned(SQLModel):
    """Base of every table whose rows belong to a tenant."""

    tenant_id: str = Field(foreign_key="tenant.id", index=True)


def one_per_tenant(*columns: str) -> UniqueConstraint:
    """Unique within a tenant; on `id` it is what composite foreign keys point at."""
    return UniqueConstraint("tenant_id", *columns)


Owned = TypeVar("Owned", bound=TenantOwned)


def owned(table: type[Owned], member: Member) -> SelectOfScalar[Owned]:
    """The rows of a tenant's table that this member may see: where every query on one starts."""
    return select(table).where(table.tenant_id == member.tenant_id)


def across(table: type[Owned]) -> SelectOfScalar[Owned]:
    """The rows of every tenant: for arriving people and keys, the worker and the staff's reports alone."""
    return select(table)


def find(session: Session, member: Member, table: type[Owned], row_id: str, noun: str) -> Owned:
    """The one row with this id.

    Raises:
        NotFound: it does not exist, or belongs to another tenant; both sound the same.
    """
    row = session.exec(owned(table, member).where(table.id == row_id)).one_or_none()  # type: ignore[attr-defined]
    if row is None:
        raise NotFound(noun)
    return row
