"""A queue that can be proved: attempts, chores, turns, and guards in the database"""

import sqlalchemy as sa
from alembic import op

import services.db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WAITING = sa.text("state = 'queued'")
_RUNNING = sa.text("state = 'running'")

# Added column by column: rebuilding a table under foreign keys would empty the tables that refer to it.
_COLUMNS = {
    "tenant": (
        sa.Column("max_runtime_seconds", sa.Integer(), nullable=False, server_default="21600"),
        sa.Column("share_weight", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("last_turn", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("next_turn", sa.BigInteger(), nullable=False, server_default="0"),
    ),
    "job": (
        sa.Column("lease_doubted_at", services.db.UtcDateTime(), nullable=True),
        sa.Column("stop_requested_at", services.db.UtcDateTime(), nullable=True),
    ),
    "worker": (sa.Column("drain_requested_at", services.db.UtcDateTime(), nullable=True),),
}

# True where a change of a job's row is one that may be. OLD and NEW are the same words on both databases.
_LEGAL = """
    (
        (OLD.state = NEW.state AND OLD.attempt = NEW.attempt)
        OR (OLD.state = 'queued' AND NEW.state = 'running' AND NEW.attempt = OLD.attempt + 1)
        OR (OLD.state = 'queued' AND NEW.state IN ('failed', 'cancelled') AND NEW.attempt = OLD.attempt)
        OR (OLD.state = 'running' AND NEW.state = 'queued' AND OLD.attempt - NEW.attempt IN (0, 1))
        OR (OLD.state = 'running' AND NEW.state IN ('succeeded', 'failed', 'cancelled')
            AND NEW.attempt = OLD.attempt)
    )
    AND (NEW.state = 'running') = (NEW.lease_until IS NOT NULL)
    AND (NEW.state <> 'running' OR NEW.lease_token IS NOT NULL)
    AND (NEW.state <> 'queued' OR NEW.lease_token IS NULL)
    AND (NEW.state <> 'succeeded' OR NEW.cancel_requested_at IS NULL)
    AND (
        OLD.state IN ('queued', 'running')
        OR (
            coalesce(NEW.model_version_id, '') = coalesce(OLD.model_version_id, '')
            AND coalesce(NEW.charged, -1) = coalesce(OLD.charged, -1)
            AND coalesce(NEW.lease_token, '') = coalesce(OLD.lease_token, '')
        )
    )
"""


def upgrade() -> None:
    for table, columns in _COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("ix_tenant_last_turn", "tenant", ["last_turn"])
    op.drop_index("ix_job_claimable", "job")
    op.create_index(
        "ix_job_waiting",
        "job",
        ["tenant_id", "priority", "run_at", "id"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index(
        "ix_job_running",
        "job",
        ["tenant_id", "lease_until"],
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    )
    op.create_table(
        "job_attempt",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.String(), nullable=False),
        sa.Column("claimed_at", services.db.UtcDateTime(), nullable=False),
        sa.Column("ended_at", services.db.UtcDateTime(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "succeeded",
                "failed",
                "cancelled",
                "retried",
                "released",
                "lost",
                name="attemptoutcome",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("failure_code", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["job.tenant_id", "job.id"],
            name=op.f("fk_job_attempt_tenant_id_job_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_job_attempt_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_attempt")),
    )
    op.create_index("ix_job_attempt_job", "job_attempt", ["job_id"])
    for column in ("tenant_id", "worker_id", "claimed_at"):
        op.create_index(f"ix_job_attempt_{column}", "job_attempt", [column])
    op.create_table(
        "chore",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("due_at", services.db.UtcDateTime(), nullable=False),
        sa.Column("lease_token", sa.String(), nullable=True),
        sa.Column("lease_until", services.db.UtcDateTime(), nullable=True),
        sa.Column("finished_at", services.db.UtcDateTime(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chore")),
    )
    for statement in _guards(op.get_bind().dialect.name):
        op.execute(statement)


def _guards(dialect: str) -> tuple[str, ...]:
    if dialect == "sqlite":
        return (
            f"""
            CREATE TRIGGER job_legal BEFORE UPDATE ON job WHEN NOT ({_LEGAL})
            BEGIN SELECT RAISE(ABORT, 'illegal change of a job'); END
            """,
        )
    return (
        f"""
        CREATE FUNCTION job_legal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT ({_LEGAL}) THEN
                RAISE EXCEPTION 'illegal change of a job' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
        """,
        "CREATE TRIGGER job_legal BEFORE UPDATE ON job FOR EACH ROW EXECUTE FUNCTION job_legal()",
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER job_legal")
    else:
        op.execute("DROP TRIGGER job_legal ON job")
        op.execute("DROP FUNCTION job_legal()")
    op.drop_table("chore")
    op.drop_table("job_attempt")
    op.drop_index("ix_job_running", "job")
    op.drop_index("ix_job_waiting", "job")
    op.create_index("ix_job_claimable", "job", ["state", "tenant_id", "priority", "run_at", "id"])
    op.drop_index("ix_tenant_last_turn", "tenant")
    for table, columns in _COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.name)
