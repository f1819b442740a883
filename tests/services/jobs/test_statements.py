"""The queue stays quick however many jobs have ended: its questions are served by the partial indexes."""

import pytest
from sqlalchemy import event, text

from services.db import engine_for, transaction
from services.jobs import queue
from tests import factories


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
        queue.claim(session, worker_id=worker_id)
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
