"""Brings the database of the settings up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from services.config import settings
from services.db import engine_for

CONNECTION = "connection"


def upgrade(revision: str = "head") -> None:
    """Apply every change that the database has not seen yet, in one transaction; nothing to do is fine."""
    with engine_for(settings().database_url).begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes[CONNECTION] = connection
        command.upgrade(config, revision)
