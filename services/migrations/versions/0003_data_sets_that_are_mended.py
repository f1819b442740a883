"""Data sets that are mended: drafts, and what was done and found in each version"""

import sqlalchemy as sa
from alembic import op

import services.db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_draft",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("upload_id", sa.String(), nullable=False),
        sa.Column("format", services.db.Json, nullable=True),
        sa.Column("fixes", services.db.Json, nullable=False),
        sa.Column("updated_by", sa.String(), nullable=True),
        sa.Column("updated_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "upload_id"],
            ["upload.tenant_id", "upload.id"],
            name=op.f("fk_dataset_draft_tenant_id_upload_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_dataset_draft_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_draft")),
        sa.UniqueConstraint("tenant_id", "upload_id", name=op.f("uq_dataset_draft_tenant_id_upload_id")),
    )
    op.create_index("ix_dataset_draft_tenant_id", "dataset_draft", ["tenant_id"])
    for name in ("changes", "findings"):
        op.add_column(
            "dataset_version",
            sa.Column(name, services.db.Json, nullable=False, server_default=sa.text("'[]'")),
        )


def downgrade() -> None:
    for name in ("changes", "findings"):
        op.drop_column("dataset_version", name)
    op.drop_table("dataset_draft")
