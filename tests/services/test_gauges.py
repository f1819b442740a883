"""The queue as Prometheus sees it."""

from datetime import timedelta

from sqlmodel import Session

from services import clock, gauges
from services.accounts.scope import Member, Staff, StaffRole
from services.billing import service as billing
from services.billing.credits import end_trial
from tests import factories

ADMIN = Staff(user_id="usr_ops", role=StaffRole.admin)


def told(session: Session) -> dict[str, float]:
    lines = gauges.text(session).decode().splitlines()
    samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def test_an_empty_installation_tells_zeros(session: Session) -> None:
    assert set(told(session).values()) == {0.0}


def test_trials_and_paying_workspaces_are_told_apart(session: Session, member: Member) -> None:
    paying = factories.create_member(session)
    billing.grant_trial(session, paying)
    end_trial(session, ADMIN, tenant_id=paying.tenant_id)
    billing.grant_trial(session, member)
    factories.create_claimed_job(session, paying)
    factories.create_job(session, member)

    found = told(session)

    assert found['tuneport_jobs_waiting{tenant_class="trial"}'] == 1
    assert found['tuneport_jobs_waiting{tenant_class="paying"}'] == 0
    assert found['tuneport_jobs_running{tenant_class="trial"}'] == 0
    assert found['tuneport_jobs_running{tenant_class="paying"}'] == 1


def test_the_oldest_wait_counts_from_when_a_job_is_due(session: Session, member: Member) -> None:
    job = factories.create_job(session, member)
    job.run_at = clock.now() - timedelta(minutes=5)
    session.add(job)
    later = factories.create_job(session, member)
    later.run_at = clock.now() + timedelta(minutes=5)
    session.add(later)
    session.flush()

    assert 299 <= told(session)['tuneport_oldest_wait_seconds{tenant_class="trial"}'] <= 310


def test_workers_are_counted_by_device(session: Session) -> None:
    factories.next_worker(session)

    found = told(session)

    assert found['tuneport_workers_alive{device="cpu"}'] == 1
    assert found['tuneport_workers_alive{device="cuda"}'] == 0
