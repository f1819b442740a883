"""Queue and workers as operators see them."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from services import clock
from services.accounts.scope import Member, Staff, StaffOnly, StaffRole
from services.accounts.tables import Tenant
from services.jobs import history, queue, watch, workers
from services.jobs.tables import Job, Worker
from services.jobs.watch import Floor, WorkerState
from services.jobs.workers import SILENCE
from tests import factories

ADMIN = Staff(user_id="usr_ops", role=StaffRole.admin)
SALES = Staff(user_id="usr_sales", role=StaffRole.sales)
MINUTE = timedelta(minutes=1)


def floor(session: Session) -> Floor:
    return watch.floor(session, ADMIN)


def tenant_of(session: Session, member: Member) -> Tenant:
    return session.exec(select(Tenant).where(Tenant.id == member.tenant_id)).one()


def change(session: Session, row: object, **values: object) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()


def running_job(session: Session, member: Member) -> Job:
    claimed = factories.create_claimed_job(session, member)
    return session.exec(select(Job).where(Job.id == claimed.job_id)).one()


@pytest.mark.parametrize("question", [watch.floor, watch.within_reach, history.busy, history.causes])
def test_only_operators_ask(session: Session, question) -> None:
    with pytest.raises(StaffOnly):
        question(session, SALES)


def test_an_empty_installation_has_nothing_to_show(session: Session) -> None:
    empty = floor(session)

    assert (empty.lines, empty.running, empty.workers) == ([], [], [])
    assert watch.within_reach(session, ADMIN) == []


def test_a_line_tells_who_waits_how_long_and_whose_turn_it_is(session: Session, member: Member) -> None:
    other = factories.create_member(session)
    old = factories.create_job(session, member)
    factories.create_job(session, member)
    factories.create_job(session, other)
    change(session, old, run_at=clock.now() - 5 * MINUTE)
    change(session, tenant_of(session, member), next_turn=7)

    first, second = floor(session).lines

    assert (first.tenant.id, first.waiting, first.turn) == (member.tenant_id, 2, 2)
    assert (second.tenant.id, second.waiting, second.turn) == (other.tenant_id, 1, 1)
    assert first.due_since == old.run_at


def test_who_may_start_nothing_has_no_turn(session: Session, member: Member) -> None:
    running_job(session, member)
    factories.create_job(session, member)
    change(session, tenant_of(session, member), running_job_limit=1)

    [line] = floor(session).lines

    assert (line.turn, line.running) == (None, 1)


def test_a_running_job_names_its_worker_and_the_age_of_its_lease(session: Session, member: Member) -> None:
    job = running_job(session, member)

    [running] = floor(session).running

    assert running.job.id == job.id
    assert (running.tenant, running.host) == (tenant_of(session, member).name, "test")
    assert abs(running.renewed_at - clock.now()) < MINUTE


def test_workers_are_idle_busy_draining_or_silent(session: Session, member: Member) -> None:
    idle, draining, silent = (factories.next_worker(session) for _ in range(3))
    workers.drain(session, ADMIN, worker_id=draining)
    change(session, session.get_one(Worker, silent), seen_at=clock.now() - 2 * SILENCE)
    busy = running_job(session, member).worker_boot_id

    shown = floor(session)

    assert {one.worker.id: one.state for one in shown.workers} == {
        idle: WorkerState.idle,
        draining: WorkerState.draining,
        silent: WorkerState.silent,
        busy: WorkerState.busy,
    }
    assert shown.serving == 2


def test_jobs_within_reach_run_wait_or_failed_lately(session: Session, member: Member) -> None:
    failed = factories.create_claimed_job(session, member)
    queue.fail(session, failed, code="nan_loss", message="No.")
    done = factories.create_claimed_job(session, member)
    queue.finish(session, done, model_version_id="mv_1", charged=1)
    running = factories.create_claimed_job(session, member)
    waiting = factories.create_job(session, member)

    found = [one.job.id for one in watch.within_reach(session, ADMIN)]

    assert found == [running.job_id, waiting.id, failed.job_id]
