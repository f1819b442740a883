"""Payments online: pages to pay on, money that no invoice takes, and letters with invoices"""

import sqlalchemy as sa
from alembic import op

import services.db

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("credit_note", sa.Column("returned", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "checkout",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("expires_at", services.db.UtcDateTime(), nullable=False),
        sa.Column("created_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoice.tenant_id", "invoice.id"],
            name=op.f("fk_checkout_tenant_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_checkout_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkout")),
    )
    op.create_index(op.f("ix_checkout_invoice_id"), "checkout", ["invoice_id"], unique=False)
    op.create_index(op.f("ix_checkout_tenant_id"), "checkout", ["tenant_id"], unique=False)
    op.create_table(
        "stray_payment",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("noted_at", services.db.UtcDateTime(), nullable=False),
        sa.Column("settled_at", services.db.UtcDateTime(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("settlement", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoice.tenant_id", "invoice.id"],
            name=op.f("fk_stray_payment_tenant_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_stray_payment_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stray_payment")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_stray_payment_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id", "method", "reference", name=op.f("uq_stray_payment_tenant_id_method_reference")
        ),
    )
    op.create_index(op.f("ix_stray_payment_invoice_id"), "stray_payment", ["invoice_id"], unique=False)
    op.create_index(op.f("ix_stray_payment_tenant_id"), "stray_payment", ["tenant_id"], unique=False)
    op.create_table(
        "invoice_letter",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("begun_at", services.db.UtcDateTime(), nullable=True),
        sa.Column("sent_at", services.db.UtcDateTime(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoice.tenant_id", "invoice.id"],
            name=op.f("fk_invoice_letter_tenant_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_invoice_letter_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_letter")),
        sa.UniqueConstraint("tenant_id", "invoice_id", name=op.f("uq_invoice_letter_tenant_id_invoice_id")),
    )
    op.create_index(op.f("ix_invoice_letter_tenant_id"), "invoice_letter", ["tenant_id"], unique=False)


def downgrade() -> None:
    for table in ("invoice_letter", "stray_payment", "checkout"):
        op.drop_table(table)
    op.drop_column("credit_note", "returned")
