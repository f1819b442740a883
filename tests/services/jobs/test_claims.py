"""Both databases claim the job that services/jobs/fairness.py says, whatever their queues look like."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from services import db
from services.accounts.tables import Tenant
from services.jobs import fairness, queue
from services.jobs.tables import Job, JobAttempt, JobState
from tests import factories

LIMIT = 2
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Waits:
    """A job in the queue."""

    priority: int
    minutes: int  # since it could start; before zero: until it can
    kind: str


@dataclass(frozen=True)
class Customer:
    """A workspace as a claim finds it."""

    next_turn: int
    served_hours_ago: int | None
    weight: int
    running: int
    suspended: bool
    waiting: list[Waits]


JOBS = st.builds(
    Waits, st.sampled_from([1, 100]), st.integers(-2, 3), st.sampled_from(["fine-tune"] * 4 + ["other"])
)
CUSTOMERS = st.builds(
    Customer,
    st.integers(0, 3),
    st.none() | st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, LIMIT),
    st.sampled_from([False] * 5 + [True]),
    st.lists(JOBS, max_size=4),
)


@pytest.fixture
def alike(session: Session) -> tuple[Session, Job]:
    """A session with an empty queue, and a job to make others like."""
    job = factories.create_job(session, factories.create_member(session))
    session.delete(job)
    session.flush()
    return session, job


@settings(max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CUSTOMERS, min_size=1, max_size=5))
def test_a_claim_takes_the_best_job_of_the_earliest_turn(
    alike: tuple[Session, Job], customers: list[Customer]
) -> None:
    session, like = alike
    with session.begin_nested() as undone:
        queued = [_set_up(session, customer, like) for customer in customers]
        ready = [
            (tenant, sorted(jobs, key=lambda job: (job.priority, job.run_at, job.id)))
            for tenant, jobs in queued
            if jobs and tenant.suspended_at is None
        ]
        running = {tenant.id: one.running for (tenant, _), one in zip(queued, customers, strict=True)}
        turns = fairness.in_turn(
            fairness.Waiting(t.id, t.next_turn, t.last_claim_at, running[t.id], t.running_job_limit)
            for t, _ in ready
        )
        best = {tenant.id: jobs[0].id for tenant, jobs in ready}
        turn = {tenant.id: (tenant.next_turn, tenant.share_weight) for tenant, _ in ready}

        claimed = factories.claim(session, worker_id="worker")

        assert (claimed and claimed.tenant_id) == (turns[0] if turns else None)
        if claimed is not None:
            before, weight = turn[claimed.tenant_id]
            served = session.get_one(Tenant, claimed.tenant_id)
            assert claimed.job_id == best[claimed.tenant_id]
            assert (served.last_turn, served.next_turn) == (before, before + fairness.stride(weight))
            assert served.last_claim_at == claimed.claimed_at
            assert session.get_one(JobAttempt, claimed.token).job_id == claimed.job_id
            assert session.get_one(Job, claimed.job_id).lease_until == claimed.claimed_at + queue.LEASE
        undone.rollback()
    session.expunge_all()


def _set_up(session: Session, customer: Customer, like: Job) -> tuple[Tenant, list[Job]]:
    """Its rows; gives the workspace, and those of its jobs that could start now."""
    hours = customer.served_hours_ago
    tenant = factories.create_tenant(
        session,
        next_turn=customer.next_turn,
        last_claim_at=None if hours is None else LONG_AGO - timedelta(hours=hours),
        share_weight=customer.weight,
        running_job_limit=LIMIT,
        suspended_at=LONG_AGO if customer.suspended else None,
    )
    member = factories.create_member(session, tenant_id=tenant.id)
    version_id = factories.create_version(session, member).id
    now = db.now(session)

    def add(number: int, **columns: object) -> Job:
        known = like.model_dump(exclude={"id"}) | {
            "tenant_id": tenant.id,
            "dataset_version_id": version_id,
            "idempotency_key": f"{number}",
        }
        job = Job(**known | columns)
        session.add(job)
        return job

    for number in range(customer.running):
        add(number, state=JobState.running, lease_token="t", lease_until=now)
    waiting = [
        add(
            10 + number,
            priority=one.priority,
            run_at=now - timedelta(minutes=one.minutes, seconds=1 if one.minutes >= 0 else 0),
            kind=one.kind,
        )
        for number, one in enumerate(customer.waiting)
    ]
    session.flush()
    return tenant, [job for job in waiting if job.run_at <= now and job.kind == "fine-tune"]
