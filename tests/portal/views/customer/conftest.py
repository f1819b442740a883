"""A workspace on a home of its own, for pages."""

import shutil
from pathlib import Path

import pytest

from services.accounts.scope import Member
from services.billing import service as billing
from services.config import settings
from services.db import engine_for, transaction
from services.migrations.upgrade import upgrade
from tests import factories


@pytest.fixture(scope="session")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty upgraded database to copy: upgrading takes longer than most pages."""
    home = tmp_path_factory.mktemp("upgraded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEPORT_HOME", str(home))
        settings.cache_clear()
        upgrade()
        # The last connection to close moves everything from the log into the file.
        engine_for(settings().database_url).dispose()
    settings.cache_clear()
    return home / "tuneport.db"


@pytest.fixture
def owner(home: Path, upgraded: Path) -> Member:
    """An owner of a workspace on trial, in which there is nothing yet."""
    home.mkdir(parents=True)
    shutil.copy(upgraded, home / "tuneport.db")
    with transaction() as db:
        member = factories.create_member(db)
        billing.grant_trial(db, member)
    return member
