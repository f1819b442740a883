"""Promise 15: a model is complete or absent, wherever its publishing broke, and any change to it shows."""

from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from services.accounts.scope import Member, across
from services.billing import service as billing
from services.config import settings
from services.db import reading, transaction
from services.registry import service as registry
from services.registry.errors import ArtefactDamaged
from services.registry.tables import ModelVersion
from services.worker.attempt import folder_of
from services.worker.settle import settle
from tests import factories
from tests.services.worker.test_settle import trained

SQLITE_ONLY = pytest.mark.parametrize("template", ["sqlite"], indirect=True)
FILES = ("config.json", "tokenizer.json", "tuneport.json")


@pytest.fixture
def customer(live_database: str) -> Member:
    with transaction() as session:
        member = factories.create_member(session)
        billing.grant_trial(session, member)
    return member


def trained_model(member: Member):
    """An attempt that has left a model of four files."""
    claimed, came = trained(member)
    for name in FILES:
        (folder_of(claimed) / "model" / name).write_text(name * 100)
    return claimed, came


def published() -> list[ModelVersion]:
    with reading() as session:
        return list(session.exec(across(ModelVersion)))


@SQLITE_ONLY
@pytest.mark.parametrize("file", range(4))
@pytest.mark.parametrize("written", [0.0, 0.5, 1.0])
def test_a_publishing_cut_off_anywhere_shows_nothing_and_then_all(
    customer: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: int, written: float
) -> None:
    claimed, came = trained_model(customer)
    put_file, puts = LocalFileSystem.put_file, []

    def put_part(self, source: str, target: str, **options: object) -> None:
        puts.append(source)
        if len(puts) <= file:
            return put_file(self, source, target, **options)
        content = Path(source).read_bytes()
        Path(target).write_bytes(content[: int(len(content) * written)])
        raise OSError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "put_file", put_part)
        with pytest.raises(OSError, match="the power is gone"):
            settle(claimed, came, device="cpu")
    assert published() == []

    settle(claimed, came, device="cpu")

    [version] = published()
    registry.fetch(version, tmp_path / "model")
    assert len(list((tmp_path / "model").iterdir())) == 4


@SQLITE_ONLY
@pytest.mark.parametrize("place", [0, -1])
def test_a_flipped_byte_in_any_file_is_refused(customer: Member, tmp_path: Path, place: int) -> None:
    settle(*trained_model(customer), device="cpu")
    [version] = published()
    stored = settings().home / "objects" / version.storage_prefix

    for file in stored.iterdir():
        whole = file.read_bytes()
        changed = bytearray(whole)
        changed[place] ^= 1
        file.write_bytes(changed)
        with pytest.raises(ArtefactDamaged):
            registry.fetch(version, tmp_path / "model")
        assert not (tmp_path / "model").exists()
        file.write_bytes(whole)

    registry.fetch(version, tmp_path / "model")


@SQLITE_ONLY
def test_a_missing_file_is_refused(customer: Member, tmp_path: Path) -> None:
    settle(*trained_model(customer), device="cpu")
    [version] = published()
    (settings().home / "objects" / version.storage_prefix / FILES[0]).unlink()

    with pytest.raises(ArtefactDamaged):
        registry.fetch(version, tmp_path / "model")
