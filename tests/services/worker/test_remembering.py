"""What a base model has read of a data set is brought to the next run on it, and to nobody else's."""

import os
from pathlib import Path

import pytest

from services import deletion, storage
from services.accounts.scope import Member, Role
from services.config import settings
from services.datasets.tables import DatasetVersion
from services.db import transaction
from services.training.process.folder import RunFolder
from services.training.recipe import DEFAULT_BASE_MODEL
from services.worker import remembering
from tests import factories

OTHER_BASE_MODEL = "bert-base-uncased"


@pytest.fixture
def version(live_database: str) -> DatasetVersion:
    return create()


def create(member: Member | None = None) -> DatasetVersion:
    with transaction() as session:
        return factories.create_version(session, member or factories.create_member(session))


def folder(path: Path, content: bytes | None = None) -> RunFolder:
    path.mkdir()
    made = RunFolder(path)
    if content is not None:
        made.remembered.write_bytes(content)
    return made


def fetched(version: DatasetVersion, path: Path, base_model: str = DEFAULT_BASE_MODEL) -> bytes | None:
    made = folder(path)
    remembering.fetch(version, base_model, made)
    return made.remembered.read_bytes() if made.remembered.exists() else None


def test_it_comes_to_the_same_data_set_and_base_model_alone(tmp_path: Path, version: DatasetVersion) -> None:
    remembering.keep(version, DEFAULT_BASE_MODEL, folder(tmp_path / "first", b"vectors"))
    foreign = create()
    # Even a workspace that could name the same data set finds nothing.
    foreign.dataset_id = version.dataset_id

    assert fetched(version, tmp_path / "second") == b"vectors"
    assert fetched(version, tmp_path / "third", OTHER_BASE_MODEL) is None
    assert fetched(foreign, tmp_path / "fourth") is None


def test_a_run_that_read_nothing_leaves_what_there_is(tmp_path: Path, version: DatasetVersion) -> None:
    remembering.keep(version, DEFAULT_BASE_MODEL, folder(tmp_path / "first", b"vectors"))

    remembering.keep(version, DEFAULT_BASE_MODEL, folder(tmp_path / "second"))

    assert fetched(version, tmp_path / "third") == b"vectors"


def test_a_workspace_keeps_so_much_and_what_was_used_longest_ago_goes(
    tmp_path: Path, version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEPORT_REMEMBERED_MB", "1")
    settings.cache_clear()
    half = b"x" * (2**19)
    member = Member(tenant_id=version.tenant_id, role=Role.owner)
    others = [create(member), create(member)]
    for number, one in enumerate([version, *others]):
        remembering.keep(one, DEFAULT_BASE_MODEL, folder(tmp_path / f"run-{number}", half))
        for file in (settings().home / "objects").rglob("*.safetensors"):
            os.utime(file, (file.stat().st_mtime - 60,) * 2)

    assert fetched(version, tmp_path / "first") is None
    assert fetched(others[0], tmp_path / "second") == fetched(others[1], tmp_path / "third") == half


def test_it_goes_with_its_data_set(tmp_path: Path, live_database: str) -> None:
    with transaction() as session:
        member = factories.create_member(session)
        version = factories.create_version(session, member)
    remembering.keep(version, DEFAULT_BASE_MODEL, folder(tmp_path / "first", b"vectors"))

    with transaction() as session:
        gone = deletion.delete_dataset(session, member, dataset_id=version.dataset_id)
    for key in gone:
        storage.delete(key)

    assert fetched(version, tmp_path / "second") is None
