"""Promise 5: once the customer was told that a job is cancelled, it never succeeds and no model appears."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session

from services.accounts.scope import Member, across
from services.billing import service as billing
from services.config import settings
from services.db import reading, transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.errors import JobIsOver
from services.jobs.queue import HEARTBEAT, LEASE, Claimed
from services.jobs.tables import Job, JobState
from services.registry.tables import ModelVersion
from services.worker.attempt import Attempt
from services.worker.settle import settle
from tests import factories
from tests.conftest import Clock
from tests.faults.conftest import ROUNDS
from tests.services.worker.test_settle import trained

# Where the other side waits for a lock, the settling goes on after this long.
A_MOMENT_SECONDS = 0.03


@pytest.fixture
def customer(live_database: str) -> Member:
    with transaction() as session:
        member = factories.create_member(session)
        billing.grant_trial(session, member)
    return member


def cancel(member: Member, claimed: Claimed) -> bool:
    """Whether the customer was told that the job is cancelled."""
    try:
        with transaction() as session:
            jobs.cancel(session, member, job_id=claimed.job_id)
    except JobIsOver:
        return False
    return True


def settle_and_cancel_at(moment: int, member: Member, claimed: Claimed, came: Attempt) -> bool | None:
    """Settle, and cancel before its n-th word to the database (0: before all); None where it has fewer."""
    settling = threading.current_thread()
    seen = 0
    cancelled: Future[bool] | None = None

    def look(*_: object) -> None:
        nonlocal seen, cancelled
        if threading.current_thread() is not settling:
            return
        seen += 1
        if seen == moment:
            cancelled = pool.submit(cancel, member, claimed)
            threading.Event().wait(A_MOMENT_SECONDS)

    with ThreadPoolExecutor(1) as pool:
        if moment == 0:
            cancelled = pool.submit(cancel, member, claimed)
            cancelled.result()
        event.listen(Engine, "before_cursor_execute", look)
        event.listen(Engine, "commit", look)
        try:
            settle(claimed, came, device="cpu")
        finally:
            event.remove(Engine, "before_cursor_execute", look)
            event.remove(Engine, "commit", look)
        return cancelled.result() if cancelled else None


def test_cancel_wins_at_every_moment_of_the_publishing(customer: Member) -> None:
    outcomes = set()
    for moment in range(0, 1000, 3 if ROUNDS == 1 else 1):
        claimed, came = trained(customer)
        told = settle_and_cancel_at(moment, customer, claimed, came)
        if told is None:
            break
        outcomes.add(told)
        state = JobState.cancelled if told else JobState.succeeded
        with reading() as session:
            assert jobs.get(session, customer, job_id=claimed.job_id).state is state, moment
            assert has_model(session, claimed) is not told, moment
        assert has_files(claimed) is not told, moment

    assert outcomes == {True, False}


def has_model(session: Session, claimed: Claimed) -> bool:
    found = across(ModelVersion).where(ModelVersion.job_id == claimed.job_id)
    return session.exec(found).one_or_none() is not None


def has_files(claimed: Claimed) -> bool:
    return any((settings().home / "objects").glob(f"*/models/{claimed.job_id}/*/*"))


@pytest.mark.parametrize("doubted", [False, True])
def test_cancel_wins_between_the_end_of_a_lease_and_its_recovery(
    session: Session, member: Member, clock: Clock, doubted: bool
) -> None:
    claimed = factories.create_claimed_job(session, member)
    clock.advance(LEASE.total_seconds() + 1)
    if doubted:
        queue.recover(session)

    jobs.cancel(session, member, job_id=claimed.job_id)
    for _ in range(2):
        clock.advance(HEARTBEAT.total_seconds() + 1)
        queue.recover(session)

    job = jobs.get(session, member, job_id=claimed.job_id)
    assert (job.state, job.charged) == (JobState.cancelled, 0)


@pytest.mark.parametrize(
    "given_back",
    [
        lambda session, claimed: queue.retry(session, claimed, code="run_crashed", message="Crashed."),
        queue.release,
    ],
    ids=["after a fault", "as the worker stops"],
)
def test_a_cancelled_job_does_not_wait_again(session: Session, member: Member, given_back) -> None:
    claimed = factories.create_claimed_job(session, member)
    jobs.cancel(session, member, job_id=claimed.job_id)

    given_back(session, claimed)

    assert session.get_one(Job, claimed.job_id, populate_existing=True).state is JobState.cancelled
