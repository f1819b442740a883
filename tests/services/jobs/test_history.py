"""Failures by cause, quotes kept, one job's course, and how busy workers were."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlmodel import Session, select

from services import clock
from services.accounts.scope import Member, Staff, StaffOnly, StaffRole
from services.errors import NotFound
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


def run(session: Session, member: Member, *, seconds: float, days_ago: int = 0) -> Job:
    """A run that made a model, quoted at 60 seconds at most."""
    claimed = factories.create_claimed_job(session, member)
    queue.finish(session, claimed, model_version_id="mv_1", charged=1)
    job = session.exec(select(Job).where(Job.id == claimed.job_id)).one()
    session.refresh(job)
    job.finished_at = clock.now() - timedelta(days=days_ago)
    job.started_at = job.finished_at - timedelta(seconds=seconds)
    session.add(job)
    session.flush()
    return job


def test_quotes_are_compared_with_what_runs_took(session: Session, member: Member) -> None:
    run(session, member, seconds=30)
    late = run(session, member, seconds=90)
    run(session, member, seconds=45)

    [one] = history.quotes_kept(session, ADMIN)

    assert (one.preset, one.task, one.runs, one.within) == ("quick", "text-classification", 3, 2)
    assert one.typical == 0.75
    assert (one.worst.job_id, one.worst.share) == (late.id, 1.5)


def test_runs_that_say_nothing_of_a_quote_are_left_out(session: Session, member: Member) -> None:
    run(session, member, seconds=600, days_ago=31)
    fail(session, member, "nan_loss")
    kept_early = run(session, member, seconds=600)
    kept_early.stop_requested_at = clock.now()
    interrupted = run(session, member, seconds=600)
    session.add(
        JobAttempt(
            tenant_id=member.tenant_id,
            id="earlier",
            job_id=interrupted.id,
            attempt=1,
            worker_id="gone",
            claimed_at=clock.now(),
        )
    )
    session.flush()

    assert history.quotes_kept(session, ADMIN) == []


def test_the_course_of_a_job_has_its_attempts_and_where_they_were(session: Session, member: Member) -> None:
    job = run(session, member, seconds=30)

    course = history.course(session, ADMIN, job_id=job.id)

    assert (course.job.id, course.tenant.id) == (job.id, member.tenant_id)
    assert [(one.attempt, host) for one, host in course.attempts] == [(1, "test")]


def test_a_course_of_no_job_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        history.course(session, ADMIN, job_id="job_nobody")


@pytest.mark.parametrize("ask", [history.quotes_kept, partial(history.course, job_id="job_1")])
def test_only_operators_look(session: Session, ask: Callable[[Session, Staff], object]) -> None:
    with pytest.raises(StaffOnly):
        ask(session, Staff(user_id="usr_sales", role=StaffRole.sales))
