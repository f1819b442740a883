"""Versions are fetched once, verified, shared by all who ask, and let go when the memory is full."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services import ids
from services.config import settings
from services.inference import engine, folders
from services.inference import service as inference
from services.inference.cache import VersionCache
from services.inference.folders import folder_of
from services.inference.predictions import EntityPrediction, LabelPrediction
from services.registry import service as registry
from services.registry.errors import ArtefactDamaged
from services.registry.tables import ModelVersion
from services.training.recipe import Task
from tests.services.inference.artefacts import create_model_folder

WEIGHTS = "model.safetensors"


def create_version(
    folder: Path, *, task: Task = Task.text_classification, labels: tuple[str, ...] = ("card", "rate")
) -> ModelVersion:
    """A version's row and its stored files, in no database."""
    version_id = ids.new("model_version")
    create_model_folder(folder / version_id, task=task, labels=labels)
    artefact = registry.store(folder / version_id, tenant_id="ten_1", job_id=version_id, attempt_id="1")
    return ModelVersion(
        id=version_id,
        tenant_id="ten_1",
        model_id="mdl_1",
        number=1,
        job_id="job_1",
        task=task,
        base_model="all-MiniLM-L6-v2",
        labels=list(labels),
        metric="accuracy",
        value=0.9,
        report={},
        storage_prefix=artefact.prefix,
        manifest=artefact.manifest,
        bytes=artefact.bytes,
    )


def spoil(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def stored(version: ModelVersion, home: Path) -> Path:
    return home / "objects" / version.storage_prefix


def test_a_version_is_fetched_once_and_then_at_hand(tmp_path: Path, home: Path) -> None:
    version = create_version(tmp_path)

    folder = folder_of(version)
    (stored(version, home) / WEIGHTS).unlink()

    assert {file.name for file in folder.iterdir()} == set(version.manifest)
    assert folder_of(version) == folder


def test_a_fetched_file_that_has_changed_is_fetched_again(tmp_path: Path) -> None:
    version = create_version(tmp_path)
    folder = folder_of(version)
    whole = (folder / WEIGHTS).read_bytes()

    spoil(folder / WEIGHTS)

    assert (folder_of(version) / WEIGHTS).read_bytes() == whole


def test_a_stored_file_that_has_changed_is_never_loaded(tmp_path: Path, home: Path) -> None:
    version = create_version(tmp_path)
    spoil(stored(version, home) / WEIGHTS)

    for _ in range(2):
        with pytest.raises(ArtefactDamaged):
            inference.predict(version, ["hello"])
    assert not (settings().cache_folder / "versions" / version.id).exists()


def test_what_was_damaged_predicts_once_it_is_whole_again(tmp_path: Path, home: Path) -> None:
    version = create_version(tmp_path)
    spoil(stored(version, home) / WEIGHTS)
    with pytest.raises(ArtefactDamaged):
        inference.predict(version, ["hello"])

    spoil(stored(version, home) / WEIGHTS)

    assert len(inference.predict(version, ["hello"])) == 1


def test_the_least_recently_loaded_folders_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "KEPT", 2)
    first, second, third = (create_version(tmp_path) for _ in range(3))

    for version in (first, second, first, third):
        folder_of(version)

    kept = {path.name for path in (settings().cache_folder / "versions").iterdir() if path.is_dir()}
    assert kept == {first.id, third.id}


def test_many_who_ask_at_once_are_answered_each_for_its_own_text(tmp_path: Path) -> None:
    version = create_version(tmp_path)
    texts = [f"{number} " * (number % 9 + 1) for number in range(60)]
    alone = [inference.predict(version, [text])[0] for text in texts]

    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(lambda text: inference.predict(version, [text])[0], texts))

    for one, other in zip(alone, together, strict=True):
        assert isinstance(one, LabelPrediction)
        assert isinstance(other, LabelPrediction)
        assert one.scores == pytest.approx(other.scores, abs=1e-5)


def test_versions_of_both_tasks_answer_side_by_side(tmp_path: Path) -> None:
    labels = create_version(tmp_path, labels=("a", "b", "c"))
    entities = create_version(tmp_path, task=Task.token_classification, labels=("city",))

    (label,) = inference.predict(labels, ["From Bonn"])
    (found,) = inference.predict(entities, ["From Bonn"])

    assert isinstance(label, LabelPrediction)
    assert set(label.scores) == {"a", "b", "c"}
    assert isinstance(found, EntityPrediction)


def test_a_version_that_is_let_go_leaves_the_memory_at_once(tmp_path: Path) -> None:
    versions = VersionCache(1)
    first = versions.get("first", lambda: engine.load(create_model_folder(tmp_path / "first")))
    first.predict(["hello"])
    gone = weakref.ref(first)
    del first

    gc.disable()
    try:
        versions.get("second", lambda: engine.load(create_model_folder(tmp_path / "second")))
        assert gone() is None
    finally:
        gc.enable()
