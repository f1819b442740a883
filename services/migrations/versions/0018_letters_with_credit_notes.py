"""Letters with credit notes, each sent once as those with invoices are"""

import sqlalchemy as sa
from alembic import op

import services.db

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "credit_note_letter",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("credit_note_id", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("begun_at", services.db.UtcDateTime(), nullable=True),
        sa.Column("sent_at", services.db.UtcDateTime(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "credit_note_id"],
            ["credit_note.tenant_id", "credit_note.id"],
            name=op.f("fk_credit_note_letter_tenant_id_credit_note_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_credit_note_letter_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_note_letter")),
        sa.UniqueConstraint(
            "tenant_id", "credit_note_id", name=op.f("uq_credit_note_letter_tenant_id_credit_note_id")
        ),
    )
    op.create_index(
        op.f("ix_credit_note_letter_tenant_id"), "credit_note_letter", ["tenant_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("credit_note_letter")
