"""A file is sent from a terminal, and goes on where it stood when the connection broke."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.accounts import keys
from services.accounts.scope import Member, owned
from services.api.app import app as api
from services.cli import sending
from services.cli.app import app
from services.cli.sending import SendingFailed
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.tables import UploadPart
from services.db import reading, transaction
from services.migrations.upgrade import upgrade
from tests import factories
from tests.cutting import cutting
from tests.servers import serving

MEGABYTE = 2**20
runner = CliRunner()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(api) as url:
        yield url


@pytest.fixture
def member() -> Member:
    upgrade()
    with transaction() as db:
        return factories.create_member(db)


@pytest.fixture
def key(member: Member) -> str:
    with transaction() as db:
        return keys.create_key(db, member, name="laptop")[1]


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "messages.csv"
    lines = [f"where is parcel number {number}?,{'ab'[number % 2]}\n" for number in range(300_000)]
    file.write_text("text,label\n" + "".join(lines))
    assert file.stat().st_size > 9 * MEGABYTE
    return file


def arrived(member: Member) -> bool:
    with reading() as db:
        return db.exec(owned(UploadPart, member)).first() is not None


def test_a_file_is_sent_whole_over_connections_that_break(
    address: str, member: Member, key: str, large: Path
) -> None:
    with cutting(address, after=[2 * MEGABYTE, 3 * MEGABYTE, 100]) as cuts:
        result = runner.invoke(app, ["data", "upload", str(large), "--api", cuts.address, "--key", key])

    assert result.exit_code == 0, result.output
    file_id = result.stdout.strip()
    with reading() as db:
        upload = datasets.get_upload(db, member, upload_id=file_id)
    assert files.read_upload(upload) == large.read_bytes()
    assert cuts.after == []
    # What had arrived was not sent again, but for what was on its way.
    assert cuts.passed < large.stat().st_size + 2 * MEGABYTE


def test_the_same_command_goes_on_where_an_earlier_one_was_given_up(
    address: str, member: Member, key: str, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_ATTEMPTS", 1)
    command = ["data", "upload", str(large), "--key", key, "--api"]
    with cutting(address, after=[3 * MEGABYTE] + [1] * 20) as cuts:
        broken = runner.invoke(app, [*command, cuts.address])
    while not arrived(member):
        time.sleep(0.05)
    with cutting(address, after=[]) as cuts:
        again = runner.invoke(app, [*command, cuts.address])

    assert isinstance(broken.exception, SendingFailed)
    assert again.exit_code == 0, again.output
    assert cuts.passed < large.stat().st_size - 2 * MEGABYTE


def test_what_the_api_refuses_is_said_with_its_reason(address: str, member: Member, tmp_path: Path) -> None:
    file = tmp_path / "messages.csv"
    file.write_text("text,label\n")

    result = runner.invoke(app, ["data", "upload", str(file), "--api", address, "--key", "tp_wrong"])

    assert isinstance(result.exception, SendingFailed)
    assert "bad_api_key" in result.exception.message
