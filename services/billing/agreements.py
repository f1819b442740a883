"""What was agreed with a workspace beside its plan: contracts, credit, coupons, its partner."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col

from services.accounts.scope import Member, Role, Staff, StaffRole, owned
from services.accounts.service import all_tenants, get_tenant
from services.accounts.tables import Tenant
from services.billing.contracts import contracts
from services.billing.money import Money
from services.billing.monitor import standing
from services.billing.profiles import profile
from services.billing.tables import Contract, CreditGrant, Redemption


@dataclass(frozen=True, slots=True)
class Granted:
    """Credit, and what has become of it as far as it is invoiced."""

    grant: CreditGrant
    used: Money
    expired: Money
    left: Money


@dataclass(frozen=True, slots=True)
class Agreements:
    """All that was agreed with a workspace; credit in the order in which it is spent."""

    tenant: Tenant
    contracts: Sequence[Contract]
    granted: Sequence[Granted]
    redemptions: Sequence[Redemption]
    partner_id: str | None


def workspaces(session: Session, staff: Staff) -> list[Tenant]:
    """Every workspace, by name."""
    staff.require(StaffRole.admin)
    return sorted(all_tenants(session), key=lambda tenant: tenant.name.casefold())


def agreements(session: Session, staff: Staff, *, tenant_id: str) -> Agreements:
    """What was agreed with one workspace."""
    staff.require(StaffRole.admin)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    spent_first = owned(CreditGrant, member).order_by(
        col(CreditGrant.priority),
        col(CreditGrant.expires_at).is_(None),
        col(CreditGrant.expires_at),
        col(CreditGrant.created_at),
    )
    taken = owned(Redemption, member).order_by(col(Redemption.created_at).desc())
    return Agreements(
        tenant=get_tenant(session, member),
        contracts=contracts(session, member),
        granted=[Granted(grant, *standing(session, member, grant)) for grant in session.exec(spent_first)],
        redemptions=session.exec(taken).all(),
        partner_id=profile(session, member).partner_id,
    )
