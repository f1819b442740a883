"""Versions that know their tokens: how long the rows of each split are to a tokenizer, for quotes"""

import sqlalchemy as sa
from alembic import op

import services.db

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dataset_version", sa.Column("tokens", services.db.Json, nullable=True))


def downgrade() -> None:
    op.drop_column("dataset_version", "tokens")
