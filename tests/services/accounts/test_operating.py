"""What an operator decides about a workspace, and what the workspace then may."""

from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from services import workspaces
from services.accounts import keys, operating
from services.accounts.errors import NoReason, UnusableLimits, WorkspaceSuspended
from services.accounts.operating import Allowed
from services.accounts.scope import Member, Staff, StaffOnly, StaffRole
from services.accounts.tables import AuditEntry, Tenant
from services.datasets import uploading
from services.errors import NotFound
from tests import factories
from tests.services.billing.factories import record

ADA = Staff(user_id="ada", role=StaffRole.admin)
SAM = Staff(user_id="sam", role=StaffRole.sales)


def suspend(session: Session, member: Member) -> Tenant:
    return operating.suspend(session, ADA, tenant_id=member.tenant_id, reason="Three invoices are unpaid")


def told(session: Session, member: Member) -> list[tuple[str, str, dict[str, object]]]:
    entries = session.exec(select(AuditEntry).where(AuditEntry.tenant_id == member.tenant_id))
    return [(one.actor, one.action, one.detail) for one in entries if one.action.startswith("tenant.")]


def test_nothing_is_started_in_a_suspended_workspace(session: Session, member: Member) -> None:
    _, secret = keys.create_key(session, member, name="program")
    suspend(session, member)

    attempts: list[Callable[[], object]] = [
        lambda: factories.create_job(session, member),
        lambda: keys.authenticate_key(session, secret),
        lambda: uploading.begin(session, member, filename="rows.csv", size=10, fingerprint="f"),
    ]
    for attempt in attempts:
        with pytest.raises(WorkspaceSuspended) as refused:
            attempt()
        assert refused.value.code == "workspace_suspended"
        assert "nothing can be trained, predicted or uploaded" in refused.value.message


def test_a_workspace_that_is_opened_again_goes_on(session: Session, member: Member) -> None:
    _, secret = keys.create_key(session, member, name="program")
    suspend(session, member)

    operating.reopen(session, ADA, tenant_id=member.tenant_id)

    assert keys.authenticate_key(session, secret).tenant_id == member.tenant_id
    assert factories.create_job(session, member).tenant_id == member.tenant_id


def test_each_decision_is_told_in_the_audit_log_once(session: Session, member: Member) -> None:
    suspend(session, member)
    suspend(session, member)
    operating.reopen(session, ADA, tenant_id=member.tenant_id)
    operating.reopen(session, ADA, tenant_id=member.tenant_id)

    assert told(session, member) == [
        ("ada", "tenant.suspended", {"reason": "Three invoices are unpaid"}),
        ("ada", "tenant.reopened", {}),
    ]


def test_a_suspension_needs_a_reason(session: Session, member: Member) -> None:
    with pytest.raises(NoReason):
        operating.suspend(session, ADA, tenant_id=member.tenant_id, reason=" ")


def test_limits_are_set_and_what_changed_is_told(session: Session, member: Member) -> None:
    limits = Allowed(running_jobs=3, open_jobs=30, hours=6, share_weight=1)

    tenant = operating.allow(session, ADA, tenant_id=member.tenant_id, limits=limits)
    operating.allow(session, ADA, tenant_id=member.tenant_id, limits=limits)

    assert operating.allowed(tenant) == limits
    assert told(session, member) == [("ada", "tenant.limits_changed", {"running_jobs": 3, "open_jobs": 30})]


@pytest.mark.parametrize(
    "limits",
    [Allowed(0, 5, 1, 1), Allowed(6, 5, 1, 1), Allowed(1, 5, 10_000, 1), Allowed(1, 5, 1, 0)],
)
def test_limits_nobody_could_work_with_are_refused(session: Session, member: Member, limits: Allowed) -> None:
    with pytest.raises(UnusableLimits):
        operating.allow(session, ADA, tenant_id=member.tenant_id, limits=limits)


def test_only_operators_decide(session: Session, member: Member) -> None:
    limits = Allowed(1, 5, 1, 1)
    attempts: list[Callable[[], object]] = [
        lambda: operating.suspend(session, SAM, tenant_id=member.tenant_id, reason="no"),
        lambda: operating.reopen(session, SAM, tenant_id=member.tenant_id),
        lambda: operating.allow(session, SAM, tenant_id=member.tenant_id, limits=limits),
        lambda: workspaces.standing(session, SAM, tenant_id=member.tenant_id),
    ]
    for attempt in attempts:
        with pytest.raises(StaffOnly):
            attempt()


def test_a_workspace_that_is_none_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        suspend(session, Member(tenant_id="ten_nothing", role=factories.Role.owner))


def test_a_workspace_is_shown_with_its_month_and_people(session: Session, member: Member) -> None:
    record(session, member, texts=1000)

    shown = workspaces.standing(session, ADA, tenant_id=member.tenant_id)

    assert (str(shown.spend), shown.on_trial, shown.open_jobs, shown.owed) == ("0.20 EUR", True, 0, [])
    assert [(use.meter, use.quantity) for use in shown.used] == [("predictions", 1000)]
    assert [person.user_id for person in shown.people] == [member.user_id]
