"""Many workers at once: every job claimed once, no limit broken, nobody forgotten."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from services.accounts.tables import Tenant
from services.db import reading, transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.errors import LeaseLost
from services.jobs.tables import JobState
from tests import factories

WORKERS = 12
JOBS_PER_TENANT = 20
LIMIT = 2


def test_twelve_workers_claim_each_job_once_and_never_more_than_the_limit(live_database: str) -> None:
    with transaction() as session:
        members = [factories.create_member(session) for _ in range(3)]
        for member in members:
            tenant = session.get_one(Tenant, member.tenant_id)
            tenant.running_job_limit, tenant.open_job_limit = LIMIT, JOBS_PER_TENANT
            for _ in range(JOBS_PER_TENANT):
                factories.create_job(session, member)
        worker_id = factories.next_worker(session)
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()
    claims: Counter[str] = Counter()
    book = threading.Lock()
    total = JOBS_PER_TENANT * len(members)

    def work() -> None:
        while claims.total() < total:
            # Counted inside of the transactions' bounds: a job that counts here surely runs for the database.
            with transaction() as session:
                claimed = factories.claim(session, worker_id=worker_id)
            if claimed is None:
                continue
            with book:
                claims[claimed.job_id] += 1
                running[claimed.tenant_id] += 1
                most[claimed.tenant_id] = max(most[claimed.tenant_id], running[claimed.tenant_id])
            time.sleep(0.01)
            with book:
                running[claimed.tenant_id] -= 1
            with transaction() as session:
                queue.finish(session, claimed, model_version_id="mv", charged=0)

    with ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(work) for _ in range(WORKERS)]:
            done.result()

    assert len(claims) == total
    assert set(claims.values()) == {1}
    assert all(number <= LIMIT for number in most.values())
    with reading() as session:
        for member in members:
            ended = jobs.recent(session, member, limit=100)
            assert {job.state for job in ended} == {JobState.succeeded}


# For a worker that goes by this schema, looking through the workspaces takes until we let it go on.
SLOWLY = """
    CREATE SCHEMA slowly;
    CREATE FUNCTION slowly.look() RETURNS boolean LANGUAGE plpgsql VOLATILE
        AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
    CREATE VIEW slowly.tenant AS SELECT * FROM public.tenant WHERE slowly.look();
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.mark.parametrize("template", ["postgres"], indirect=True)
def test_what_a_slow_worker_saw_before_it_had_the_lock_does_not_break_the_limit(live_database: str) -> None:
    with transaction() as session:
        member = factories.create_member(session)
        session.get_one(Tenant, member.tenant_id).running_job_limit = 1
        factories.create_job(session, member)
        worker_id = factories.next_worker(session)
        session.execute(text(SLOWLY))

    def claim_slowly() -> queue.Claimed | None:
        with transaction() as session:
            session.execute(text("SET LOCAL search_path = slowly, public"))
            return factories.claim(session, worker_id=worker_id)

    with ThreadPoolExecutor(1) as pool:
        with transaction() as gate:
            gate.execute(text("SELECT pg_advisory_xact_lock(7)"))
            slow = pool.submit(claim_slowly)
            while not gate.execute(text(WAITING)).scalar_one():
                assert not slow.done()
                time.sleep(0.01)
            # A better job comes, which the slow worker has not seen, and is taken.
            with transaction() as session:
                better = factories.create_job(session, member)
                better.priority = 1
                session.add(better)
            with transaction() as session:
                quick = factories.claim(session, worker_id=worker_id)

        assert quick is not None
        assert quick.job_id == better.id
        assert slow.result() is None


def test_of_two_workers_that_think_they_hold_a_job_one_finishes_it(live_database: str) -> None:
    with transaction() as session:
        claimed = factories.create_claimed_job(session, factories.create_member(session))
    outcomes: list[str] = []
    ready = threading.Barrier(8)

    def finish(number: int) -> None:
        ready.wait()
        try:
            with transaction() as session:
                queue.finish(session, claimed, model_version_id=f"mv_{number}", charged=0)
        except LeaseLost:
            outcomes.append("lost")
        else:
            outcomes.append("won")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(finish, range(8)))

    assert Counter(outcomes) == {"won": 1, "lost": 7}


def test_fifty_submits_with_one_key_make_one_job(live_database: str) -> None:
    with transaction() as session:
        member = factories.create_member(session)
        first = factories.create_job(session, member, key="other")

    def submit(_: int) -> str:
        with transaction() as session:
            return factories.create_job(
                session, member, key="same", dataset_version_id=first.dataset_version_id, model_name="m"
            ).id

    with ThreadPoolExecutor(10) as pool:
        made = set(pool.map(submit, range(50)))

    assert len(made) == 1
