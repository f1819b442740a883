"""Uploads in parts, which go on after a broken connection"""

import sqlalchemy as sa
from alembic import op

import services.db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "upload_session",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "completed",
                "cancelled",
                name="uploadstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("upload_id", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=True),
        sa.Column("created_at", services.db.UtcDateTime(), nullable=False),
        sa.Column("expires_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_upload_session_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_session")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_upload_session_tenant_id_id")),
    )
    for column in ("tenant_id", "fingerprint", "expires_at"):
        op.create_index(f"ix_upload_session_{column}", "upload_session", [column])
    op.create_table(
        "upload_part",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=True),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("storage_key", sa.String(), nullable=False),
        sa.Column("created_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["upload_session.tenant_id", "upload_session.id"],
            name=op.f("fk_upload_part_tenant_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_upload_part_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_part")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_upload_part_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id", "session_id", "start", name=op.f("uq_upload_part_tenant_id_session_id_start")
        ),
    )
    op.create_index("ix_upload_part_tenant_id", "upload_part", ["tenant_id"])


def downgrade() -> None:
    op.drop_table("upload_part")
    op.drop_table("upload_session")
