"""What an operator decides about a workspace: whether it may start anything, and how much at once."""

from dataclasses import asdict, dataclass

from sqlmodel import Session

from services import clock
from services.accounts import audit
from services.accounts.errors import NoReason, UnusableLimits
from services.accounts.scope import Member, Role, Staff, StaffRole
from services.accounts.service import lock_tenant_to_bill
from services.accounts.tables import Tenant
from services.errors import NotFound

# Beyond these a limit says nothing.
MOST_JOBS, LONGEST_HOURS, HEAVIEST = 1000, 7 * 24, 100


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a workspace may ask of the queue; a change of its plan sets it anew."""

    running_jobs: int
    open_jobs: int
    # Of one attempt of a job.
    hours: int
    # Turns beside others while both have jobs waiting.
    share_weight: int


def tenant_of(session: Session, staff: Staff, *, tenant_id: str) -> Tenant:
    """One workspace, by its id.

    Raises:
        NotFound: there is none.
    """
    staff.require(StaffRole.admin)
    tenant = session.get(Tenant, tenant_id)
    if tenant is None:
        raise NotFound("workspace")
    return tenant


def suspend(session: Session, staff: Staff, *, tenant_id: str, reason: str) -> Tenant:
    """Let nothing be started in a workspace: no job, no prediction, no upload, by page or by program.

    Runs that are under way end as they would; what was used is invoiced, and can be read and paid. Suspended
    again, it stays so from when it was.

    Raises:
        NotFound: no such workspace.
        NoReason: the customer reads it in the audit log, and there is none.
    """
    tenant = _held(session, staff, tenant_id)
    if not reason.strip():
        raise NoReason
    if tenant.suspended_at is None:
        tenant.suspended_at = clock.now()
        session.add(tenant)
        session.flush()
        audit.record(
            session, staff, "tenant.suspended", tenant_id, tenant_id=tenant_id, reason=reason.strip()
        )
    return tenant


def reopen(session: Session, staff: Staff, *, tenant_id: str) -> Tenant:
    """Take a suspension back; jobs that waited go on.

    Raises:
        NotFound: no such workspace.
    """
    tenant = _held(session, staff, tenant_id)
    if tenant.suspended_at is not None:
        tenant.suspended_at = None
        session.add(tenant)
        session.flush()
        audit.record(session, staff, "tenant.reopened", tenant_id, tenant_id=tenant_id)
    return tenant


def allowed(tenant: Tenant) -> Allowed:
    """What a workspace may ask of the queue now."""
    return Allowed(
        running_jobs=tenant.running_job_limit,
        open_jobs=tenant.open_job_limit,
        hours=max(1, tenant.max_runtime_seconds // 3600),
        share_weight=tenant.share_weight,
    )


def allow(session: Session, staff: Staff, *, tenant_id: str, limits: Allowed) -> Tenant:
    """Let a workspace ask more or less of the queue; it counts from the next claim and submit on.

    Raises:
        NotFound: no such workspace.
        UnusableLimits: one of them is below one or beyond all measure, or more may run than be open.
    """
    tenant = _held(session, staff, tenant_id)
    bounds = (
        (limits.running_jobs, MOST_JOBS),
        (limits.open_jobs, MOST_JOBS),
        (limits.hours, LONGEST_HOURS),
        (limits.share_weight, HEAVIEST),
    )
    if not all(1 <= value <= most for value, most in bounds) or limits.running_jobs > limits.open_jobs:
        raise UnusableLimits
    before = allowed(tenant)
    if limits != before:
        tenant.running_job_limit = limits.running_jobs
        tenant.open_job_limit = limits.open_jobs
        tenant.max_runtime_seconds = limits.hours * 3600
        tenant.share_weight = limits.share_weight
        session.add(tenant)
        session.flush()
        changed = {name: value for name, value in asdict(limits).items() if value != getattr(before, name)}
        audit.record(session, staff, "tenant.limits_changed", tenant_id, tenant_id=tenant_id, **changed)
    return tenant


def _held(session: Session, staff: Staff, tenant_id: str) -> Tenant:
    tenant_of(session, staff, tenant_id=tenant_id)
    return lock_tenant_to_bill(session, Member(tenant_id=tenant_id, role=Role.owner))
