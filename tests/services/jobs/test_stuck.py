"""What needs an operator, and why."""

from datetime import timedelta

from sqlmodel import Session, select

from services import clock
from services.accounts.scope import Member, Staff, StaffRole
from services.accounts.tables import Tenant
from services.jobs import watch, workers
from services.jobs.stuck import QUIET, Why, stuck
from services.jobs.tables import Job
from tests import factories

ADMIN = Staff(user_id="usr_ops", role=StaffRole.admin)
MINUTE = timedelta(minutes=1)


def running_job(session: Session, member: Member) -> Job:
    claimed = factories.create_claimed_job(session, member)
    return session.exec(select(Job).where(Job.id == claimed.job_id)).one()


def change(session: Session, job: Job, **values: object) -> None:
    for name, value in values.items():
        setattr(job, name, value)
    session.add(job)
    session.flush()


def test_where_all_gets_on_nothing_is_stuck(session: Session, member: Member) -> None:
    running_job(session, member)
    factories.create_job(session, member)

    assert stuck(watch.floor(session, ADMIN)) == []


def test_what_is_stuck_says_why(session: Session, member: Member) -> None:
    doubted, quiet = running_job(session, member), running_job(session, member)
    change(session, doubted, lease_doubted_at=clock.now())
    change(session, quiet, started_at=clock.now() - QUIET - MINUTE)
    strange = factories.create_job(session, member)
    change(session, strange, kind="from-the-future")
    factories.create_job(session, member)

    found = {one.why: one for one in stuck(watch.floor(session, ADMIN))}

    assert found.keys() == {Why.doubted, Why.quiet, Why.unknown}
    assert (found[Why.doubted].model, found[Why.quiet].model) == (doubted.model_name, quiet.model_name)
    assert found[Why.unknown].jobs == 1


def test_waiting_jobs_are_stuck_where_no_worker_takes_any(session: Session, member: Member) -> None:
    factories.create_job(session, member)
    workers.drain(session, ADMIN, worker_id=factories.next_worker(session))

    [found] = stuck(watch.floor(session, ADMIN))

    assert (found.why, found.jobs, found.tenant) == (
        Why.unserved,
        1,
        session.get_one(Tenant, member.tenant_id).name,
    )
