"""A claim in one question, on Postgres: its steps run within the database, and the guard costs less"""

import importlib

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_first = importlib.import_module("services.migrations.versions.0002_a_queue_that_can_be_proved")

# What services/jobs/claims.py does in steps on SQLite. Each statement in here sees what was committed before
# it began, so that the running jobs are counted under the lock; a single statement would count too early.
_CLAIM = """
    CREATE FUNCTION claim_job(
        worker text, token text, lease interval, kinds text[], share bigint, moved interval
    ) RETURNS SETOF job LANGUAGE plpgsql AS $$
    DECLARE
        present timestamptz := clock_timestamp() + moved;
        passed text[] := '{}';
        served record;
        taken job%ROWTYPE;
    BEGIN
        LOOP
            SELECT tenant.id, tenant.running_job_limit, tenant.share_weight INTO served
            FROM tenant
            WHERE tenant.suspended_at IS NULL
                AND tenant.id <> ALL (passed)
                AND EXISTS (
                    SELECT FROM job
                    WHERE job.tenant_id = tenant.id AND job.state = 'queued'
                        AND job.run_at <= present AND job.kind = ANY (kinds)
                )
                AND (
                    SELECT count(*) FROM job WHERE job.tenant_id = tenant.id AND job.state = 'running'
                ) < tenant.running_job_limit
            ORDER BY tenant.next_turn, tenant.last_claim_at NULLS FIRST, tenant.id COLLATE "C"
            LIMIT 1
            FOR NO KEY UPDATE SKIP LOCKED;
            EXIT WHEN NOT FOUND;

            UPDATE job
            SET state = 'running', attempt = job.attempt + 1, lease_token = token,
                lease_until = present + lease, worker_boot_id = worker, started_at = present,
                phase = NULL, progress = 0, eta_seconds = NULL
            WHERE job.id = (
                    SELECT best.id FROM job AS best
                    WHERE best.tenant_id = served.id AND best.state = 'queued'
                        AND best.run_at <= present AND best.kind = ANY (kinds)
                    ORDER BY best.priority, best.run_at, best.id
                    LIMIT 1
                    FOR UPDATE SKIP LOCKED
                )
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
            passed := passed || served.id::text;
        END LOOP;
    END $$
"""
# The condition is part of the trigger, so that a legal change calls no function.
_GUARD = (
    "DROP TRIGGER job_legal ON job",
    """
    CREATE OR REPLACE FUNCTION job_legal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'illegal change of a job' USING ERRCODE = 'check_violation';
    END $$
    """,
    f"""
    CREATE TRIGGER job_legal BEFORE UPDATE ON job FOR EACH ROW WHEN (NOT ({_first._LEGAL}))
    EXECUTE FUNCTION job_legal()
    """,
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_CLAIM)
        for statement in _GUARD:
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION claim_job")
        op.execute("DROP TRIGGER job_legal ON job")
        op.execute("DROP FUNCTION job_legal()")
        for statement in _first._guards("postgresql"):
            op.execute(statement)
