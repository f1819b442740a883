"""Aliases that remember: every move of one, and the thresholds that versions were given"""

import sqlalchemy as sa
from alembic import op

import services.db

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KINDS = ("first", "promoted", "overruled", "rolled_back")


def _version(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        ["model_version.tenant_id", "model_version.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
    )


def upgrade() -> None:
    op.create_table(
        "alias_move",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("from_version_id", sa.String(), nullable=True),
        sa.Column("to_version_id", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*_KINDS, name="movekind", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("judgement", services.db.Json, nullable=True),
        sa.Column("moved_by", sa.String(), nullable=True),
        sa.Column("moved_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_alias_move_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "model_id"],
            ["model.tenant_id", "model.id"],
            name=op.f("fk_alias_move_tenant_id_model_id"),
        ),
        _version("alias_move", "from_version_id"),
        _version("alias_move", "to_version_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alias_move")),
    )
    op.create_index("ix_alias_move_tenant_id", "alias_move", ["tenant_id"])
    op.create_index("ix_alias_move_model_id", "alias_move", ["model_id"])
    op.create_table(
        "threshold_choice",
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.String(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("chosen_by", sa.String(), nullable=True),
        sa.Column("chosen_at", services.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_threshold_choice_tenant_id")),
        _version("threshold_choice", "version_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threshold_choice")),
    )
    op.create_index("ix_threshold_choice_tenant_id", "threshold_choice", ["tenant_id"])
    op.create_index("ix_threshold_choice_version_id", "threshold_choice", ["version_id"])


def downgrade() -> None:
    op.drop_table("threshold_choice")
    op.drop_table("alias_move")
