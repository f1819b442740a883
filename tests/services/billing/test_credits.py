"""A trial is given once, lasts its days, and stops use when it is spent."""

import pytest
from sqlmodel import Session, select

from services.accounts.scope import Member, Staff, StaffOnly, StaffRole
from services.accounts.tables import AuditEntry, Tenant
from services.billing import service as billing
from services.billing.errors import CreditSpent
from services.billing.money import MICROS, Money
from services.billing.tables import CreditGrant
from tests import factories
from tests.services.billing.factories import Clock, record, travel

ZERO = Money.zero("EUR")
CENT = Money(10_000, "EUR")
TEN = Money(10 * MICROS, "EUR")
ADMIN = Staff(user_id="usr_admin", role=StaffRole.admin)


def test_a_new_workspace_has_ten_euros_and_gets_them_once(session: Session, member: Member) -> None:
    first = billing.grant_trial(session, member)
    second = billing.grant_trial(session, member)

    assert first.id == second.id
    assert billing.on_trial(session, member)
    assert billing.credit_left(session, member) == TEN
    assert len(session.exec(select(CreditGrant).where(CreditGrant.tenant_id == member.tenant_id)).all()) == 1


def test_use_takes_from_the_credit_what_its_lines_say(session: Session, member: Member) -> None:
    billing.grant_trial(session, member)

    record(session, member, texts=1000, seconds="312.48")

    assert billing.credit_left(session, member) == Money(9_180_000, "EUR")  # 10 − 0.20 − 0.62


def test_use_of_another_workspace_takes_nothing(session: Session, member: Member) -> None:
    billing.grant_trial(session, member)

    record(session, factories.create_member(session), texts=10_000)

    assert billing.credit_left(session, member) == TEN


def test_the_credit_lasts_through_its_thirtieth_day_on_the_workspaces_clock(
    session: Session, clock: Clock
) -> None:
    tenant = factories.create_tenant(session, time_zone="Europe/Berlin")
    member = factories.create_member(session, tenant_id=tenant.id)
    travel(clock, "2026-11-10T15:00")
    billing.grant_trial(session, member)

    travel(clock, "2026-12-09T22:59:59")
    assert billing.credit_left(session, member) == TEN

    travel(clock, "2026-12-09T23:00:00")
    assert billing.credit_left(session, member) == ZERO
    with pytest.raises(CreditSpent, match="spent or has expired"):
        billing.require_funds(session, member, needed=CENT, reserved=ZERO)


def test_the_quoted_maximum_may_take_the_whole_credit_and_not_a_cent_more(
    session: Session, member: Member
) -> None:
    billing.grant_trial(session, member)

    billing.require_funds(session, member, needed=TEN, reserved=ZERO)
    with pytest.raises(
        CreditSpent, match=r"up to 10\.01 EUR, and 10\.00 EUR of the trial credit is left"
    ) as refused:
        billing.require_funds(session, member, needed=TEN + CENT, reserved=ZERO)
    assert (refused.value.status, refused.value.code) == (402, "credit_spent")


def test_what_open_jobs_may_cost_is_kept_for_them(session: Session, member: Member) -> None:
    billing.grant_trial(session, member)

    billing.require_funds(session, member, needed=CENT, reserved=TEN - CENT)
    with pytest.raises(CreditSpent, match=r"hold 9\.99 EUR of it, so that 0\.01 EUR is free"):
        billing.require_funds(session, member, needed=CENT + CENT, reserved=TEN - CENT)


def test_even_what_costs_less_than_a_cent_needs_credit(session: Session, member: Member) -> None:
    billing.grant_trial(session, member)
    record(session, member, texts=50_000)

    assert billing.predictions_charge(session, member, texts=1) == ZERO
    with pytest.raises(CreditSpent):
        billing.require_funds(session, member, needed=ZERO, reserved=ZERO)


def test_a_workspace_without_trial_or_plan_is_stopped(session: Session, member: Member) -> None:
    with pytest.raises(CreditSpent):
        billing.require_funds(session, member, needed=CENT, reserved=ZERO)


def test_a_paying_workspace_is_never_stopped(session: Session, member: Member) -> None:
    billing.grant_trial(session, member)
    record(session, member, texts=60_000)

    billing.end_trial(session, ADMIN, tenant_id=member.tenant_id)

    assert not billing.on_trial(session, member)
    billing.require_funds(session, member, needed=TEN, reserved=TEN)


def test_ending_a_trial_twice_is_fine_and_keeps_the_rest_of_the_credit(
    session: Session, member: Member
) -> None:
    billing.grant_trial(session, member)

    first = billing.end_trial(session, ADMIN, tenant_id=member.tenant_id)
    second = billing.end_trial(session, ADMIN, tenant_id=member.tenant_id)

    assert first.id == second.id
    assert billing.credit_left(session, member) == TEN
    assert billing.grant_trial(session, member).id == first.id


def test_the_plan_says_what_a_workspace_may_ask_of_the_queue(session: Session, member: Member) -> None:
    tenant = session.get_one(Tenant, member.tenant_id)

    billing.grant_trial(session, member)
    on_trial = (tenant.running_job_limit, tenant.open_job_limit, tenant.share_weight)
    billing.end_trial(session, ADMIN, tenant_id=member.tenant_id)

    assert on_trial == (2, 20, 1)
    assert (tenant.running_job_limit, tenant.open_job_limit, tenant.share_weight) == (4, 50, 2)


def test_only_an_admin_of_ours_ends_a_trial(session: Session, member: Member) -> None:
    sales = Staff(user_id="usr_sales", role=StaffRole.sales)

    with pytest.raises(StaffOnly):
        billing.end_trial(session, sales, tenant_id=member.tenant_id)


@pytest.mark.parametrize("closed", [False, True])
def test_what_a_month_used_is_not_there_in_the_next(
    session: Session, member: Member, clock: Clock, *, closed: bool
) -> None:
    travel(clock, "2026-11-20T12:00")
    billing.grant_trial(session, member)
    record(session, member, texts=20_000)
    travel(clock, "2026-12-05T12:00")
    if closed:
        billing.close_month(session, member, year=2026, month=11)

    record(session, member, texts=5_000)

    assert billing.credit_left(session, member) == Money(5 * MICROS, "EUR")


def test_months_closed_out_of_order_never_use_more_than_was_given(
    session: Session, member: Member, clock: Clock
) -> None:
    travel(clock, "2026-11-20T12:00")
    billing.grant_trial(session, member)
    used_in_november = travel(clock, "2026-11-25T12:00")
    travel(clock, "2026-12-05T12:00")
    record(session, member, texts=40_000)
    travel(clock, "2027-01-05T12:00")

    december = billing.close_month(session, member, year=2026, month=12)
    record(session, member, texts=40_000, at=used_in_november)
    november = billing.close_month(session, member, year=2026, month=11)

    assert december is not None
    assert november is not None
    assert (december.total, november.total) == (0, 6 * MICROS)


def test_a_grant_is_in_the_audit_log(session: Session, member: Member) -> None:
    billing.grant_trial(session, member)

    entries = session.exec(select(AuditEntry).where(AuditEntry.tenant_id == member.tenant_id)).all()
    assert "trial.granted" in {entry.action for entry in entries}
