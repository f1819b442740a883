"""Where this machine keeps the versions it has fetched, so that loading one again needs no network."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services import storage
from services.config import settings
from services.registry import service as registry
from services.registry.tables import ModelVersion

# The least recently loaded go first; a small model takes about 90 MB.
KEPT = 50


def folder_of(version: ModelVersion, *, part: str = "") -> Path:
    """The version's files, or those of one `part`, as its manifest has them; fetched where they are not here.

    Raises:
        ArtefactDamaged: what is stored is not what was trained.
    """
    versions = settings().cache_folder / "versions"
    folder = versions / (f"{version.id}-{part}" if part else version.id)
    manifest = {name: digest for name, digest in version.manifest.items() if name.startswith(part)}
    versions.mkdir(parents=True, exist_ok=True)
    with _held(versions / f"{folder.name}.lock"):
        if not _is_whole(folder, manifest):
            registry.fetch(version, folder, manifest=manifest)
        # To the nanosecond: the kernel's own stamps are the same for all loads within some milliseconds.
        loaded = time.time_ns()
        os.utime(folder, ns=(loaded, loaded))
    _forget_the_oldest(versions)
    return folder


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    # Several API processes of one machine share the folder; the kernel lets go when one of them dies.
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_whole(folder: Path, manifest: dict[str, str]) -> bool:
    try:
        return all(storage.sha256(folder / name) == digest for name, digest in manifest.items())
    except FileNotFoundError:
        return False


def _forget_the_oldest(versions: Path) -> None:
    folders = sorted((path for path in versions.iterdir() if path.is_dir()), key=_age)
    for folder in folders[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)
        (versions / f"{folder.name}.lock").unlink(missing_ok=True)


def _age(folder: Path) -> int:
    return folder.stat().st_mtime_ns if folder.exists() else 0
