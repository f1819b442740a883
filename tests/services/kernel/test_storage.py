"""Files are stored whole or not at all, and nowhere else."""

from pathlib import Path

import pytest

from services import storage
from services.errors import NotFound


def test_what_was_put_can_be_got_and_deleted() -> None:
    storage.put("ten_1/uploads/a", b"content")
    assert storage.get("ten_1/uploads/a") == b"content"

    storage.delete("ten_1/uploads/a")

    assert not storage.exists("ten_1/uploads/a")
    with pytest.raises(NotFound):
        storage.get("ten_1/uploads/a")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a\x00b", "a\\..\\b"])
def test_a_key_never_leaves_the_store(key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        storage.put(key, b"x")


def test_a_folder_comes_back_as_its_manifest_says(tmp_path: Path) -> None:
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/deep/file").write_text("x")

    manifest = storage.put_folder(tmp_path / "in", "ten_1/models/1")
    storage.get_folder("ten_1/models/1", tmp_path / "out", manifest)

    assert list(manifest) == ["deep/file"]
    assert (tmp_path / "out/deep/file").read_text() == "x"


def test_a_changed_file_leaves_no_folder(tmp_path: Path, home: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/file").write_text("x")
    manifest = storage.put_folder(tmp_path / "in", "ten_1/models/1")
    (home / "objects/ten_1/models/1/file").write_text("y")

    with pytest.raises(ValueError, match="manifest"):
        storage.get_folder("ten_1/models/1", tmp_path / "out", manifest)

    assert not (tmp_path / "out").exists()
