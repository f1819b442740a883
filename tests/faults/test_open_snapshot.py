"""Promise 17: who looks at the database for long, as a report or backup does, stops no claim or pruning."""

from sqlalchemy import text

from services.db import reading, transaction
from services.jobs import queue, retention
from services.jobs import service as jobs
from services.jobs.tables import JobState
from tests import factories

JOBS = 150


def test_claims_go_on_beside_an_open_snapshot(live_database: str) -> None:
    with transaction() as session:
        tenant = factories.create_tenant(session, running_job_limit=JOBS, open_job_limit=JOBS)
        member = factories.create_member(session, tenant_id=tenant.id)
        version = factories.create_version(session, member).id
        worker_id = factories.next_worker(session)
    with reading() as looking:
        if looking.get_bind().dialect.name == "postgresql":
            looking.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        assert looking.execute(text("SELECT count(*) FROM job")).scalar_one() == 0

        for _ in range(JOBS):
            with transaction() as session:
                factories.create_job(session, member, dataset_version_id=version)
            with transaction() as session:
                claimed = factories.claim(session, worker_id=worker_id)
            assert claimed is not None
            with transaction() as session:
                queue.finish(session, claimed, model_version_id="mv", charged=0)
        with transaction() as session:
            retention.prune_events(session)
            retention.prune_workers(session)

        # It was open all the while.
        assert looking.execute(text("SELECT count(*) FROM job")).scalar_one() == 0
    with reading() as session:
        assert {job.state for job in jobs.recent(session, member, limit=JOBS)} == {JobState.succeeded}
