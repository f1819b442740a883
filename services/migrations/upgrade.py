"""Brings the database of the settings up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from services.config import settings
from services.db import engine_for

CONNECTION = "connection"


def upgrade(revision: str = "head") -> None:
    """Apply every change that the database has not seen yet, in one transaction; nothing to do is fine."""
    config = _config()
    engine = engine_for(settings().database_url)
    with engine.connect() as connection, _rebuilding(connection), connection.begin():
        config.attributes[CONNECTION] = connection
        command.upgrade(config, revision)
        _check(connection)


@contextmanager
def _rebuilding(connection: Connection) -> Iterator[None]:
    """Let SQLite drop tables that others point at: it changes a table by building it anew."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _check(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"rows point at nothing after the upgrade: {broken[:3]}")


def is_upgraded() -> bool:
    """Has the database seen every change?"""
    with engine_for(settings().database_url).connect() as connection:
        seen = MigrationContext.configure(connection).get_current_heads()
    return set(seen) == set(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
