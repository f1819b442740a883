"""The history ends where the tables are, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlmodel import Session

from services.db import engine_for
from services.migrations import metadata
from services.migrations.upgrade import upgrade


def test_the_migrations_make_exactly_the_tables(session: Session) -> None:
    context = MigrationContext.configure(session.connection(), opts={"compare_type": True})

    assert compare_metadata(context, metadata()) == []


def test_upgrading_twice_changes_nothing(live_database: str) -> None:
    upgrade()

    with engine_for(live_database).connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() is not None
