"""Fewer keys of a job: what other indexes begin with, and what another foreign key says already"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_job_tenant_id", "job")
    op.drop_index("ix_job_attempt_tenant_id", "job_attempt")
    with op.batch_alter_table("job_attempt") as batch:
        batch.drop_constraint(op.f("fk_job_attempt_tenant_id"), type_="foreignkey")


def downgrade() -> None:
    with op.batch_alter_table("job_attempt") as batch:
        batch.create_foreign_key(op.f("fk_job_attempt_tenant_id"), "tenant", ["tenant_id"], ["id"])
    op.create_index("ix_job_attempt_tenant_id", "job_attempt", ["tenant_id"])
    op.create_index("ix_job_tenant_id", "job", ["tenant_id"])
