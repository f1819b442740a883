"""Promise 4: only legal changes of state, and final is final; the database itself refuses the others."""

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from services import db
from services.accounts.scope import Member
from services.jobs.queue import LEASE
from services.jobs.tables import Job, JobState
from tests import factories
from tests.faults.history import LEGAL


def create(session: Session, member: Member, state: JobState) -> Job:
    """A job that came to this state by the way there is."""
    job = factories.create_job(session, member)
    path = {
        JobState.queued: [],
        JobState.running: [JobState.running],
        JobState.succeeded: [JobState.running, JobState.succeeded],
        JobState.failed: [JobState.running, JobState.failed],
        JobState.cancelled: [JobState.cancelled],
    }
    for step in path[state]:
        change(session, job, step)
    return job


def change(session: Session, job: Job, state: JobState) -> None:
    """Set the state, with every other column as that state needs it."""
    running = state is JobState.running
    until = db.now(session) + LEASE if running else None
    token = None if state is JobState.queued else "token"
    session.refresh(job)
    session.execute(
        update(Job)
        .where(col(Job.id) == job.id)
        .values(state=state, lease_until=until, lease_token=token, attempt=job.attempt + running)
    )
    session.refresh(job)


@pytest.mark.parametrize(("before", "after"), list(product(JobState, JobState)))
def test_the_database_lets_only_legal_changes_through(
    session: Session, member: Member, before: JobState, after: JobState
) -> None:
    job = create(session, member, before)
    if before == after:
        return

    if (before.value, after.value) in LEGAL:
        change(session, job, after)
        assert job.state is after
    else:
        with pytest.raises(IntegrityError, match="illegal change of a job"), session.begin_nested():
            change(session, job, after)
        session.refresh(job)
        assert job.state is before


@pytest.mark.parametrize(
    ("state", "values"),
    [
        (JobState.running, {"lease_until": None}),
        (JobState.running, {"lease_token": None}),
        (JobState.queued, {"lease_token": "token"}),
        (JobState.queued, {"attempt": 2}),
        (JobState.running, {"attempt": 0}),
        (JobState.succeeded, {"charged": 1_000_000}),
        (JobState.succeeded, {"model_version_id": "another"}),
        (JobState.failed, {"lease_token": "another"}),
    ],
)
def test_the_database_refuses_what_no_state_may_hold(
    session: Session, member: Member, state: JobState, values: dict[str, object]
) -> None:
    job = create(session, member, state)

    with pytest.raises(IntegrityError, match="illegal change of a job"), session.begin_nested():
        session.execute(update(Job).where(col(Job.id) == job.id).values(**values))


def test_a_cancelled_job_never_succeeds(session: Session, member: Member) -> None:
    job = create(session, member, JobState.running)
    asked = db.now(session) - timedelta(seconds=1)
    session.execute(update(Job).where(col(Job.id) == job.id).values(cancel_requested_at=asked))

    with pytest.raises(IntegrityError, match="illegal change of a job"), session.begin_nested():
        change(session, job, JobState.succeeded)
