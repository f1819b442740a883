"""Data sets whose data is deleted, and that stay as the origin of models"""

import sqlalchemy as sa
from alembic import op

import services.db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dataset", sa.Column("deleted_at", services.db.UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("dataset", "deleted_at")
