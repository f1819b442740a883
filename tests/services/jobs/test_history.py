"""Failures by cause, and how busy workers were."""

from datetime import timedelta

from sqlmodel import Session, select

from services import clock
from services.accounts.scope import Member, Staff, StaffRole
from services.jobs import history, queue
from services.jobs.tables import Job, JobAttempt, Worker
from tests import factories

ADMIN = Staff(user_id="usr_ops", role=StaffRole.admin)
HOUR = timedelta(hours=1)


def fail(session: Session, member: Member, code: str, *, ago: timedelta = timedelta()) -> None:
    claimed = factories.create_claimed_job(session, member)
    queue.fail(session, claimed, code=code, message="No.")
    job = session.exec(select(Job).where(Job.id == claimed.job_id)).one()
    job.finished_at = clock.now() - ago
    session.add(job)
    session.flush()


def test_causes_count_failed_jobs_and_repeated_attempts(session: Session, member: Member) -> None:
    fail(session, member, "nan_loss")
    fail(session, member, "nan_loss", ago=30 * HOUR)
    fail(session, member, "nan_loss", ago=8 * 24 * HOUR)
    queue.retry(
        session, factories.create_claimed_job(session, member), code="run_crashed", message="Crashed."
    )

    nan, crashed = history.causes(session, ADMIN)

    assert (nan.code, len(nan.failed), len(nan.repeated)) == ("nan_loss", 2, 0)
    assert (crashed.code, len(crashed.failed), len(crashed.repeated)) == ("run_crashed", 0, 1)
    assert clock.now() - nan.last_at < HOUR


def test_nothing_failed_and_nobody_worked(session: Session) -> None:
    assert history.causes(session, ADMIN) == []
    assert history.busy(session, ADMIN).overall is None


def test_a_worker_is_busy_from_claim_to_end(session: Session, member: Member) -> None:
    now = clock.now()
    claimed = factories.create_claimed_job(session, member)
    queue.finish(session, claimed, model_version_id="mv_1", charged=1)
    attempt = session.exec(select(JobAttempt).where(JobAttempt.id == claimed.token)).one()
    session.refresh(attempt)
    worker = session.get_one(Worker, attempt.worker_id)
    attempt.claimed_at, attempt.ended_at = now - 3 * HOUR, now - 2 * HOUR
    worker.started_at = now - 4 * HOUR
    session.add_all([attempt, worker])
    session.flush()

    busy = history.busy(session, ADMIN)

    assert round(busy.of_worker[worker.id], 2) == 0.25
    assert busy.overall is not None
    assert round(busy.overall, 2) == 0.25
    shares = [share for _, share in busy.hours]
    assert shares[0] is None, "it was not there yet"
    assert [round(share or 0.0, 2) for share in shares[20:]] == [0.0, 1.0, 0.0, 0.0]
