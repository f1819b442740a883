"""A claim that writes less: its best job looked up rather than searched, rows changed in place, fewer indexes"""

import importlib

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_first = importlib.import_module("services.migrations.versions.0002_a_queue_that_can_be_proved")
_before = importlib.import_module("services.migrations.versions.0007_a_claim_in_one_question")

_RUNNING = sa.text("state = 'running'")

# As services/jobs/claims.py does it in steps on SQLite. Each statement sees what was committed before it
# began: the tenant is chosen, locked, and only then counted for good.
#
# For each tenant one look into ix_job_waiting, which is in order already: LATERAL and LIMIT allow it, and that
# sorting is off makes the planner do it also before it knows the table. Asked with EXISTS, it read the whole
# queue at each claim. The chosen job is then found by its id: its state is written so that ix_job_waiting, which
# is small whenever the queue is short, does not look like a way to it. What the choice saw may be gone by the time of the lock, or held
# by somebody who is about to cancel it: then no row is changed, nobody is waited for, and the next is tried.
_CLAIM = """
    CREATE OR REPLACE FUNCTION claim_job(
        worker text, token text, lease interval, kinds text[], share bigint, moved interval
    ) RETURNS SETOF job LANGUAGE plpgsql SET enable_sort = off AS $$
    DECLARE
        present timestamptz := clock_timestamp() + moved;
        passed text[] := '{}';
        served record;
        taken job%ROWTYPE;
    BEGIN
        IF EXISTS (
            SELECT FROM worker AS asking WHERE asking.id = worker AND asking.drain_requested_at IS NOT NULL
        ) THEN
            RETURN;
        END IF;
        LOOP
            SELECT tenant.id, tenant.running_job_limit, tenant.share_weight, best.id AS job_id INTO served
            FROM tenant CROSS JOIN LATERAL (
                SELECT job.id FROM job
                WHERE job.tenant_id = tenant.id AND job.state = 'queued'
                    AND job.run_at <= present AND job.kind = ANY (kinds)
                    AND job.id <> ALL (passed)
                ORDER BY job.priority, job.run_at, job.id
                LIMIT 1
            ) AS best
            WHERE tenant.suspended_at IS NULL
                AND (
                    SELECT count(*) FROM job WHERE job.tenant_id = tenant.id AND job.state = 'running'
                ) < tenant.running_job_limit
            ORDER BY tenant.next_turn, tenant.last_claim_at NULLS FIRST, tenant.id COLLATE "C"
            LIMIT 1
            FOR NO KEY UPDATE OF tenant SKIP LOCKED;
            EXIT WHEN NOT FOUND;

            UPDATE job
            SET state = 'running', attempt = job.attempt + 1, lease_token = token,
                lease_until = present + lease, worker_boot_id = worker, started_at = present,
                phase = NULL, progress = 0, eta_seconds = NULL
            WHERE job.id = (SELECT one.id FROM job AS one WHERE one.id = served.job_id FOR UPDATE SKIP LOCKED)
                AND job.state || '' = 'queued'
                AND (
                    SELECT count(*) FROM job WHERE job.tenant_id = served.id AND job.state = 'running'
                ) < served.running_job_limit
            RETURNING job.* INTO taken;
            IF FOUND THEN
                UPDATE tenant
                SET last_turn = next_turn, next_turn = next_turn + share / served.share_weight,
                    last_claim_at = present
                WHERE tenant.id = served.id;
                INSERT INTO job_attempt (id, tenant_id, job_id, attempt, worker_id, claimed_at)
                VALUES (token, served.id, taken.id, taken.attempt, worker, present);
                RETURN NEXT taken;
                EXIT;
            END IF;
            passed := passed || served.job_id::text;
        END LOOP;
    END $$
"""
# A condition that belongs to the trigger is read anew for each statement, a function's once in a connection;
# what changes none of these columns cannot break the law.
_GUARD = (
    "DROP TRIGGER job_legal ON job",
    f"""
    CREATE OR REPLACE FUNCTION job_legal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT ({_first._LEGAL}) THEN
            RAISE EXCEPTION 'illegal change of a job' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER job_legal
    BEFORE UPDATE OF state, attempt, lease_token, lease_until, cancel_requested_at, model_version_id, charged
    ON job FOR EACH ROW EXECUTE FUNCTION job_legal()
    """,
)
# Room in each page for the next version of a row, which then needs no new entry in any index as long as no
# indexed column changes: a turn, a heartbeat, a word of progress, the end of an attempt.
_ROOM = {"tenant": 50, "job": 70, "job_attempt": 80}


def upgrade() -> None:
    # Ids are in order of time, so that (tenant_id, id) says what (tenant_id, created_at) said.
    op.drop_index("ix_job_tenant_created", "job")
    op.drop_index("ix_job_attempt_worker_id", "job_attempt")
    op.drop_index("ix_tenant_last_turn", "tenant")
    op.drop_index("ix_job_running", "job")
    op.create_index("ix_job_running", "job", ["tenant_id"], sqlite_where=_RUNNING, postgresql_where=_RUNNING)
    if op.get_bind().dialect.name == "postgresql":
        for statement in (_CLAIM, *_GUARD):
            op.execute(statement)
        for table, percent in _ROOM.items():
            op.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in _ROOM:
            op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
        op.execute("DROP FUNCTION claim_job")
        for statement in (_before._CLAIM, *_before._GUARD):
            op.execute(statement)
    op.drop_index("ix_job_running", "job")
    op.create_index(
        "ix_job_running",
        "job",
        ["tenant_id", "lease_until"],
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    )
    op.create_index("ix_tenant_last_turn", "tenant", ["last_turn"])
    op.create_index("ix_job_attempt_worker_id", "job_attempt", ["worker_id"])
    op.create_index("ix_job_tenant_created", "job", ["tenant_id", "created_at"])
