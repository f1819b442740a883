"""A home of its own with a workspace, for pages."""

import shutil
from pathlib import Path

import pytest

from services.accounts.scope import Member, Staff, StaffRole
from services.accounts.tables import StaffGrant, User
from services.billing import service as billing
from services.config import settings
from services.db import engine_for, transaction
from services.migrations.upgrade import upgrade
from tests import factories


@pytest.fixture(scope="session")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty upgraded database to copy: upgrading takes longer than most pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEPORT_HOME", str(tmp_path_factory.mktemp("upgraded")))
        settings.cache_clear()
        upgrade()
        database = settings().home / "tuneport.db"
        # What stands only in the write-ahead log would not be copied.
        engine_for(settings().database_url).dispose()
    settings.cache_clear()
    return database


@pytest.fixture
def empty_home(home: Path, upgraded: Path) -> Path:
    """A home in which nobody was yet."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(upgraded, home / "tuneport.db")
    return home


@pytest.fixture
def owner(empty_home: Path) -> Member:
    """An owner of a workspace on trial, in which there is nothing yet."""
    with transaction() as db:
        member = factories.create_member(db)
        billing.grant_trial(db, member)
    return member


@pytest.fixture
def operator(empty_home: Path) -> Staff:
    """One of our own people, in nobody's workspace."""
    with transaction() as db:
        user = factories.create_user(db, email="ops@tuneport.example")
        db.add(StaffGrant(email=user.email, role=StaffRole.admin))
    return Staff(user_id=user.id, role=StaffRole.admin)


def person(user_id: str) -> User:
    """The row of a person."""
    with transaction() as db:
        return db.get_one(User, user_id)
