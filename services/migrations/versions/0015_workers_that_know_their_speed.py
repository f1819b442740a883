"""Workers that know their speed: what a device measured of itself, for quotes"""

import sqlalchemy as sa
from alembic import op

import services.db

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("worker", sa.Column("speed", services.db.Json, nullable=True))
    op.add_column("worker", sa.Column("versions", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("worker", "versions")
    op.drop_column("worker", "speed")
