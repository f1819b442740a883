"""The queue stays quick however many jobs wait or have ended: it reads and writes no more than it must."""

from collections import Counter

import pytest
from sqlalchemy import event, text
from sqlmodel import Session

from services.accounts.scope import Member
from services.db import engine_for, transaction
from services.jobs import queue
from services.training.process.events import EventKind, Phase, RunEvent
from tests import factories

POSTGRES_ONLY = pytest.mark.parametrize("template", ["postgres"], indirect=True)
WAITING = 60


@pytest.fixture
def asked(live_database: str) -> list[tuple[str, object]]:
    """The statements about jobs that claims and sweeps make, with what is filled in."""
    statements: list[tuple[str, object]] = []
    with transaction() as session:
        factories.create_job(session, factories.create_member(session))
        worker_id = factories.next_worker(session)

    def note(_connection, _cursor, statement, parameters, *_) -> None:
        if " job" in statement and "job_attempt" not in statement and not statement.startswith("INSERT"):
            statements.append((statement, parameters))

    engine = engine_for(live_database)
    event.listen(engine, "before_cursor_execute", note)
    with transaction() as session:
        factories.claim(session, worker_id=worker_id)
    with transaction() as session:
        queue.recover(session)
        if engine.dialect.name == "postgresql":
            # A claim's steps are within the database there.
            steps = session.execute(text("SELECT prosrc FROM pg_proc WHERE proname = 'claim_job'"))
            statements.append((steps.scalar_one(), {}))
    event.remove(engine, "before_cursor_execute", note)
    return statements


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_claims_and_sweeps_read_open_jobs_alone(live_database: str, asked: list[tuple[str, object]]) -> None:
    with engine_for(live_database).connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [step for *_, step in plan if " job" in step]
            assert steps, statement
            for step in steps:
                assert "USING INDEX ix_job_" in step or "(id=?)" in step, f"{step} in {statement}"


def test_every_state_is_written_out(asked: list[tuple[str, object]]) -> None:
    """Postgres knows that a partial index serves a statement only by the word itself."""
    conditions = [statement.partition("WHERE")[2] for statement, _ in asked]

    assert any("state = 'queued'" in condition for condition in conditions)
    assert any("state = 'running'" in condition for condition in conditions)


def _customer(session: Session) -> tuple[Member, str]:
    tenant = factories.create_tenant(session, open_job_limit=WAITING)
    member = factories.create_member(session, tenant_id=tenant.id)
    return member, factories.create_version(session, member).id


def _submit(session: Session, member: Member, version_id: str) -> None:
    for _ in range(WAITING):
        factories.create_job(session, member, dataset_version_id=version_id)


def _of_jobs(session: Session) -> Counter[str]:
    """What this connection has done with rows of `job` since it last told Postgres' statistics."""
    kept = text("""
        SELECT seq_tup_read + idx_tup_fetch AS read, n_tup_upd AS changed, n_tup_hot_upd AS in_place
        FROM pg_stat_xact_user_tables WHERE relname = 'job'
    """)
    return Counter(session.execute(kept).mappings().one())


@POSTGRES_ONLY
@pytest.mark.parametrize("backlog_known", [False, True])
def test_a_claim_does_not_read_the_whole_queue(live_database: str, backlog_known: bool) -> None:
    """Whether the planner's statistics are from before the backlog or not."""
    with transaction() as session:
        customers = [_customer(session) for _ in range(2)]
        for customer in customers:
            _submit(session, *customer)
        session.execute(text("UPDATE job SET state = 'cancelled'"))
        session.execute(text("ANALYZE job, tenant"))
        for customer in customers:
            _submit(session, *customer)
        if backlog_known:
            session.execute(text("ANALYZE job, tenant"))
        worker_id = factories.next_worker(session)
    with transaction() as session:
        before = _of_jobs(session)
        assert factories.claim(session, worker_id=worker_id) is not None
        done = _of_jobs(session) - before

    # One look for each workspace, and the steps of the claim itself.
    assert 0 < done["read"] < WAITING / 4


@POSTGRES_ONLY
def test_a_sign_of_life_and_a_word_of_progress_need_no_new_entry_in_any_index(live_database: str) -> None:
    with transaction() as session:
        factories.create_job(session, factories.create_member(session))
        claimed = factories.claim(session)
    assert claimed is not None
    event = RunEvent(kind=EventKind.progress, phase=Phase.training, step=1, steps=2)

    with transaction() as session:
        before = _of_jobs(session)
        queue.renew(session, claimed)
        queue.report(session, claimed, [(0, event)])
        done = _of_jobs(session) - before

    assert done["in_place"] == done["changed"] == 2
