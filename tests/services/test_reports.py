"""What our own staff are told across all workspaces."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session

from services import clock, ids, reports
from services.accounts.scope import Member, Staff, StaffOnly, StaffRole
from services.accounts.tables import Tenant
from services.billing import service as billing
from services.billing.credits import end_trial
from services.billing.money import Money
from services.jobs import queue
from services.jobs.tables import Worker
from services.metering import service as metering
from services.metering import usage
from tests import factories

ADMIN = Staff(user_id="usr_ops", role=StaffRole.admin)
SALES = Staff(user_id="usr_sales", role=StaffRole.sales)


def use_training(session: Session, member: Member, seconds: int) -> None:
    event = usage.training(
        tenant_id=member.tenant_id,
        job_id=ids.new("job"),
        device_class="cuda",
        device_seconds=Decimal(seconds),
        at=clock.now(),
    )
    metering.record(session, [event])


def report_of(session: Session, member: Member) -> reports.TenantReport:
    [found] = [report for report in reports.tenants(session, ADMIN) if report.tenant.id == member.tenant_id]
    return found


@pytest.mark.parametrize("question", [reports.tenants, reports.fleet, reports.failures])
def test_only_operators_ask(session: Session, question) -> None:
    with pytest.raises(StaffOnly):
        question(session, SALES)


def test_a_quiet_workspace_is_listed_with_nothing(session: Session, member: Member) -> None:
    report = report_of(session, member)

    assert report.spend == report.earned == Money.zero("EUR")
    assert (report.predictions, report.waiting, report.running, report.last_use) == (0, 0, 0, None)


def test_a_trial_earns_nothing_while_its_credit_lasts(session: Session, member: Member) -> None:
    billing.grant_trial(session, member)
    use_training(session, member, 1000)

    report = report_of(session, member)

    assert (report.spend, report.earned) == (Money(2_000_000, "EUR"), Money(0, "EUR"))
    assert report.credit == Money(8_000_000, "EUR")
    assert report.training_seconds == 1000
    assert report.last_use is not None


def test_a_workspace_that_pays_has_no_credit_to_spend(session: Session, member: Member) -> None:
    use_training(session, member, 1000)
    end_trial(session, ADMIN, tenant_id=member.tenant_id)

    report = report_of(session, member)

    assert (report.earned, report.credit) == (Money(2_000_000, "EUR"), None)


def test_those_that_earn_most_come_first_and_add_up(session: Session) -> None:
    small, large = factories.create_member(session), factories.create_member(session)
    use_training(session, small, 10)
    use_training(session, large, 1000)

    found = reports.tenants(session, ADMIN)

    order = [report.tenant.id for report in found]
    assert order.index(large.tenant_id) < order.index(small.tenant_id)
    assert reports.revenue(found) == [Money(2_020_000, "EUR")]
    assert reports.use(found) == [Money(2_020_000, "EUR")]


def test_open_jobs_are_counted_where_they_belong(session: Session, member: Member) -> None:
    factories.create_claimed_job(session, member)
    factories.create_job(session, member)
    other = factories.create_member(session)
    factories.create_job(session, other)

    assert (report_of(session, member).waiting, report_of(session, member).running) == (1, 1)
    assert (report_of(session, other).waiting, report_of(session, other).running) == (1, 0)
    fleet = reports.fleet(session, ADMIN)
    assert (len(fleet.waiting), len(fleet.running)) == (2, 1)


def test_the_longest_wait_is_that_of_the_job_due_longest(session: Session, member: Member) -> None:
    first = factories.create_job(session, member)
    factories.create_job(session, member)

    fleet = reports.fleet(session, ADMIN)

    assert fleet.longest_wait(first.run_at + timedelta(seconds=90)) == timedelta(seconds=90)
    assert reports.Fleet([], [], [], []).longest_wait(clock.now()) == timedelta()


def test_workers_are_alive_silent_or_forgotten(session: Session) -> None:
    now = clock.now()
    for host, ago, stopped in (
        ("alive", 0, None),
        ("silent", 600, None),
        ("gone", 9, now),
        ("old", 90_000, None),
    ):
        seen_at = now - timedelta(seconds=ago)
        session.add(
            Worker(host=host, process=1, device="cpu", device_name="c", seen_at=seen_at, stopped_at=stopped)
        )
    session.flush()

    fleet = reports.fleet(session, ADMIN)

    assert [worker.host for worker in fleet.alive] == ["alive"]
    assert [worker.host for worker in fleet.silent] == ["silent"]


def test_failures_of_the_last_day_name_their_workspace(session: Session, member: Member) -> None:
    for _ in range(2):
        claimed = factories.create_claimed_job(session, member)
        queue.fail(session, claimed, code="nan_loss", message="The loss became infinite.")
    old = reports.failures(session, ADMIN)[-1].job
    old.finished_at = clock.now() - timedelta(hours=25)
    session.add(old)
    session.flush()

    [failure] = reports.failures(session, ADMIN)

    assert failure.job.id != old.id
    assert failure.tenant == session.get_one(Tenant, member.tenant_id).name
