"""Workspaces that are held back from billing, whichever month a page shows."""

from sqlmodel import Session

from services.accounts.scope import Member, Role, Staff, StaffRole
from services.accounts.service import all_tenants
from services.billing import monitor
from services.billing.runs import Row, Step


def parked(session: Session, staff: Staff) -> list[Row]:
    """Every workspace under a hold, with what was found."""
    staff.require(StaffRole.admin)
    held = [
        (tenant, monitor.hold(session, Member(tenant_id=tenant.id, role=Role.owner)))
        for tenant in all_tenants(session)
    ]
    return [Row(tenant, Step.parked, None, findings=tuple(hold.findings)) for tenant, hold in held if hold]
