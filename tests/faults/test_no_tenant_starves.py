"""Promise 9: whoever comes, comes soon; shares go by weight. Counted in claims, not in seconds."""

from collections import Counter

import pytest
from sqlmodel import Session

from services.accounts.scope import Member
from services.accounts.tables import Tenant
from tests import factories

QUEUED = 40


def create_customer(session: Session, *, jobs: int, weight: int = 1, running: int = 100_000) -> Member:
    """A workspace with so many jobs in the queue."""
    tenant = factories.create_tenant(
        session, share_weight=weight, running_job_limit=running, open_job_limit=100_000
    )
    member = factories.create_member(session, tenant_id=tenant.id)
    submit(session, member, jobs)
    return member


def submit(session: Session, member: Member, jobs: int) -> None:
    version = factories.create_version(session, member).id
    for _ in range(jobs):
        factories.create_job(session, member, dataset_version_id=version)


@pytest.fixture
def worker_id(session: Session) -> str:
    return factories.next_worker(session)


def claims(session: Session, worker_id: str, number: int) -> list[str]:
    """The workspaces that the next claims serve, in order."""
    claimed = [factories.claim(session, worker_id=worker_id) for _ in range(number)]
    return [claim.tenant_id for claim in claimed if claim is not None]


def test_a_newcomer_is_served_within_a_claim_of_each_who_waits(session: Session, worker_id: str) -> None:
    for _ in range(3):
        create_customer(session, jobs=QUEUED)
    claims(session, worker_id, 30)

    newcomer = create_customer(session, jobs=1)

    assert newcomer.tenant_id in claims(session, worker_id, 4)


def test_a_newcomer_does_not_take_the_turns_it_missed(session: Session, worker_id: str) -> None:
    old = create_customer(session, jobs=QUEUED)
    claims(session, worker_id, 20)

    new = create_customer(session, jobs=QUEUED)

    assert Counter(claims(session, worker_id, 20)) == {old.tenant_id: 10, new.tenant_id: 10}


def test_turns_are_shared_by_weight(session: Session, worker_id: str) -> None:
    weights = {create_customer(session, jobs=62, weight=weight).tenant_id: weight for weight in (1, 2, 3)}

    served = Counter(claims(session, worker_id, 120))

    for tenant_id, weight in weights.items():
        assert served[tenant_id] == pytest.approx(120 * weight / 6, rel=0.05)


def test_who_is_alone_has_all_workers(session: Session, worker_id: str) -> None:
    alone = create_customer(session, jobs=10)

    assert claims(session, worker_id, 11) == [alone.tenant_id] * 10


def test_who_may_run_no_more_holds_nobody_up(session: Session, worker_id: str) -> None:
    capped = create_customer(session, jobs=10, running=2)
    other = create_customer(session, jobs=10)

    assert Counter(claims(session, worker_id, 20)) == {capped.tenant_id: 2, other.tenant_id: 10}


def test_who_may_start_nothing_holds_nobody_up(session: Session, worker_id: str) -> None:
    suspended = create_customer(session, jobs=2)
    tenant = session.get_one(Tenant, suspended.tenant_id)
    tenant.suspended_at = tenant.created_at
    session.add(tenant)
    other = create_customer(session, jobs=2)

    assert claims(session, worker_id, 4) == [other.tenant_id] * 2
