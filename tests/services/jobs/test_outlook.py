"""Expected starts out of the database: what the queue, the workers and the history say together."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from services import clock
from services.accounts.scope import Member, Staff, StaffRole
from services.accounts.tables import Tenant
from services.jobs import outlook, queue, workers
from services.jobs import service as jobs
from services.jobs.forecast import predict
from services.jobs.pace import pace
from services.jobs.service import Quoted
from services.jobs.tables import JobAttempt
from tests import factories

ADMIN = Staff(user_id="usr_ops", role=StaffRole.admin)


def claim(session: Session, worker_id: str) -> queue.Claimed:
    claimed = factories.claim(session, worker_id=worker_id)
    assert claimed is not None
    return claimed


def quoted(most: int) -> Quoted:
    return Quoted(seconds_low=1, seconds_high=most, low=1, high=2, device_class="cpu")


def finish_after(session: Session, claimed: queue.Claimed, seconds: float) -> None:
    """End a job as if it had been claimed so long ago."""
    queue.finish(session, claimed, model_version_id="mv_1", charged=0)
    attempt = session.exec(select(JobAttempt).where(JobAttempt.id == claimed.token)).one()
    attempt.claimed_at = attempt.ended_at - timedelta(seconds=seconds)
    session.add(attempt)
    session.flush()


def test_a_free_worker_takes_it_at_once(session: Session, member: Member) -> None:
    job = factories.create_job(session, member)
    factories.next_worker(session)

    assert outlook.starts(session, member)[job.id].late == 0


def test_without_a_worker_or_a_waiting_job_there_is_nothing_to_tell(session: Session, member: Member) -> None:
    assert outlook.starts(session, member) == {}

    factories.create_job(session, member)

    assert outlook.starts(session, member) == {}


def test_a_worker_that_drains_takes_nothing(session: Session, member: Member) -> None:
    factories.create_job(session, member)
    workers.drain(session, ADMIN, worker_id=factories.next_worker(session))

    assert outlook.starts(session, member) == {}


def test_history_corrects_the_quote_of_what_runs(session: Session, member: Member) -> None:
    worker = factories.next_worker(session)
    for _ in range(9):
        factories.create_job(session, member, quoted=quoted(100))
        finish_after(session, claim(session, worker), seconds=90)
    factories.create_job(session, member, quoted=quoted(1000))
    claim(session, worker)
    job = factories.create_job(session, member)

    expected = outlook.starts(session, member)[job.id]

    assert expected.likely == pytest.approx(900, abs=20)


def test_the_word_of_a_training_run_is_better_than_its_quote(session: Session, member: Member) -> None:
    worker = factories.next_worker(session)
    running = factories.create_job(session, member)
    claim(session, worker)
    running.phase, running.eta_seconds = "training", 42.0
    session.add(running)
    job = factories.create_job(session, member)

    assert outlook.starts(session, member)[job.id].likely == 42


def test_jobs_of_others_come_between_by_turn(session: Session, member: Member) -> None:
    worker = factories.next_worker(session)
    claimed = claim_of_another(session, worker)
    first, second = factories.create_job(session, member), factories.create_job(session, member)

    expected = outlook.starts(session, member)

    assert 0 < expected[first.id].likely < expected[second.id].likely
    assert claimed.job_id not in expected


def claim_of_another(session: Session, worker: str) -> queue.Claimed:
    other = factories.create_member(session)
    for _ in range(3):
        factories.create_job(session, other)
    return claim(session, worker)


def test_who_came_lately_may_come_again(session: Session, member: Member) -> None:
    other = factories.create_member(session)
    worker = factories.next_worker(session)
    for _ in range(3):
        factories.create_job(session, other, quoted=quoted(3000))
        queue.finish(session, claim(session, worker), model_version_id="mv_1", charged=0)
    for _ in range(4):
        factories.create_job(session, member, quoted=quoted(3000))

    standing = outlook._standing(session, member, pace([]), clock.now())

    assert [one.tenant_id for one in standing.arrivals] == [other.tenant_id] * 3
    assert {line.tenant_id for line in standing.lines} == {member.tenant_id, other.tenant_id}
    alone = predict(replace(standing, arrivals=()), tenant_id=member.tenant_id, jobs=4, seed="")
    both = predict(standing, tenant_id=member.tenant_id, jobs=4, seed="")
    assert both[3].likely > alone[3].likely


def test_a_job_that_waits_for_its_next_attempt_starts_no_sooner(session: Session, member: Member) -> None:
    factories.next_worker(session)
    job = factories.create_job(session, member)
    job.run_at = clock.now() + timedelta(minutes=5)
    session.add(job)
    session.flush()

    assert outlook.starts(session, member)[job.id].likely == pytest.approx(300, abs=5)


def test_a_suspended_workspace_gets_no_forecast(session: Session, member: Member) -> None:
    factories.next_worker(session)
    factories.create_job(session, member)
    tenant = session.exec(select(Tenant).where(Tenant.id == member.tenant_id)).one()
    tenant.suspended_at = clock.now()
    session.add(tenant)
    session.flush()

    assert outlook.starts(session, member) == {}


def test_the_forecast_serves_in_the_order_in_which_the_queue_then_does(session: Session) -> None:
    members = [factories.create_member(session) for _ in range(3)]
    for number, member in enumerate(members):
        for _ in range(number + 1):
            factories.create_job(session, member)
    worker = factories.next_worker(session)
    expected: dict[float, str] = {}
    for member in members:
        exact = outlook._standing(session, member, pace([]), clock.now())
        mine = sorted(job.id for job in jobs.open_jobs(session, member))
        found = predict(
            replace(exact, spread=(1.0,), arrivals=()), tenant_id=member.tenant_id, jobs=len(mine), seed=""
        )
        expected |= {start.likely: job_id for start, job_id in zip(found, mine, strict=True)}

    order = []
    for _ in range(6):
        claimed = claim(session, worker)
        order.append(claimed.job_id)
        queue.finish(session, claimed, model_version_id="mv_1", charged=0)

    assert [expected[at] for at in sorted(expected)] == order
