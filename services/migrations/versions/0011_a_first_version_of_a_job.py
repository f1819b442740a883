"""A first version of a job: its Quick model stands beside what the job comes to"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_STAGES = sa.Enum("first", "last", name="stage", native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.add_column("job", sa.Column("first_version_id", sa.String(), nullable=True))
    with op.batch_alter_table("model_version") as batch:
        batch.add_column(sa.Column("stage", _STAGES, nullable=False, server_default="last"))
        batch.drop_constraint(op.f("uq_model_version_tenant_id_job_id"), type_="unique")
        batch.create_unique_constraint(
            op.f("uq_model_version_tenant_id_job_id_stage"), ["tenant_id", "job_id", "stage"]
        )


def downgrade() -> None:
    with op.batch_alter_table("model_version") as batch:
        batch.drop_constraint(op.f("uq_model_version_tenant_id_job_id_stage"), type_="unique")
        batch.create_unique_constraint(op.f("uq_model_version_tenant_id_job_id"), ["tenant_id", "job_id"])
        batch.drop_column("stage")
    op.drop_column("job", "first_version_id")
