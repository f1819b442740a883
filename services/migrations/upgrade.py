"""Brings the database of the settings up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.config import settings
from services.db import engine_for

CONNECTION = "connection"


def upgrade(revision: str = "head") -> None:
    """Apply every change that the database has not seen yet, in one transaction; nothing to do is fine."""
    config = _config()
    with engine_for(settings().database_url).begin() as connection:
        config.attributes[CONNECTION] = connection
        command.upgrade(config, revision)


def is_upgraded() -> bool:
    """Has the database seen every change?"""
    with engine_for(settings().database_url).connect() as connection:
        seen = MigrationContext.configure(connection).get_current_heads()
    return set(seen) == set(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
