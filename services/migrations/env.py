"""Alembic's entry: brings a database to the tables that the code expects."""

from alembic import context

from services.migrations import metadata
from services.migrations.upgrade import CONNECTION

context.configure(
    connection=context.config.attributes[CONNECTION],
    target_metadata=metadata(),
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
