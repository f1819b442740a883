"""Jobs that were over long ago, and their curves, copied within the database by the million."""

from sqlalchemy import bindparam, text
from sqlmodel import SQLModel

from benchmarks.queues import Tuneport
from services import clock
from services.db import UtcDateTime, transaction
from services.jobs import queue, retention
from services.training.process.events import EventKind, Phase, RunEvent

# Jobs whose curves are forgotten while others are claimed, and points of a curve.
PRUNED_JOBS = 100_000
POINTS = 10
# What the ids of jobs begin with that were copied: before all that are made today.
OLD = "job_0-"


def grow_history(rows: int) -> None:
    """Copy a finished job so many times."""
    if not rows:
        return
    table = SQLModel.metadata.tables["job"]
    with transaction() as session:
        one = session.execute(text("SELECT id FROM job WHERE state = 'succeeded' LIMIT 1")).scalar_one()
        new = {
            "id": f"'{OLD}{rows}-' || n",
            "idempotency_key": f"'{OLD}{rows}-' || n",
            "finished_at": ":long_ago",
        }
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        values = ", ".join(new.get(column.name, f'"{column.name}"') for column in table.columns)
        numbers = f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows})"
        copy = f"{numbers} INSERT INTO job ({columns}) SELECT {values} FROM job, s WHERE id = '{one}'"
        if session.get_bind().dialect.name == "postgresql":
            copy = (
                f"INSERT INTO job ({columns}) SELECT {values} FROM job, generate_series(1, {rows}) AS n"
                f" WHERE id = '{one}'"
            )
        long_ago = bindparam("long_ago", clock.now() - 2 * retention.KEEP_EVENTS, type_=UtcDateTime())
        session.execute(text(copy).bindparams(long_ago))
    with transaction() as session:
        session.execute(text("ANALYZE"))


def give_curves(product: Tuneport, *, jobs: int) -> None:
    """So many of the old jobs get a curve each, copied from one point."""
    product.submit(0)
    claimed = product.claim()
    assert claimed is not None
    point = RunEvent(kind=EventKind.metric, phase=Phase.training, step=1, steps=2, values={"loss": 1.0})
    with transaction() as session:
        queue.report(session, claimed, [(0, point)])
    product.finish(claimed)
    new = {"job_id": "old.id", "tenant_id": "old.tenant_id", "position": "n"}
    names = [column.name for column in SQLModel.metadata.tables["job_event"].columns if column.name != "id"]
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(new.get(name, f'one."{name}"') for name in names)
    with transaction() as session:
        session.execute(
            text(f"""
                WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {POINTS})
                INSERT INTO job_event ({columns}) SELECT {values}
                FROM (SELECT id, tenant_id FROM job WHERE id LIKE '{OLD}%' LIMIT {jobs}) AS old, s,
                    (SELECT * FROM job_event LIMIT 1) AS one
            """)
        )
    with transaction() as session:
        session.execute(text("ANALYZE"))
