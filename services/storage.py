"""Files: any place fsspec reaches, under keys that we generate. Never called inside an open transaction."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from services.config import settings
from services.errors import NotFound

_CHUNK = 1 << 20


def _place(key: str) -> tuple[fsspec.AbstractFileSystem, str]:
    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or ".." in parts or "\x00" in key or "\\" in key:
        raise ValueError(f"not a storage key: {key!r}")
    filesystem, root = url_to_fs(settings().storage_url)
    return filesystem, f"{root.rstrip('/')}/{key}"


def _write(key: str, pieces: Iterable[bytes]) -> None:
    filesystem, path = _place(key)
    filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    with filesystem.transaction, filesystem.open(path, "wb") as target:
        for piece in pieces:
            target.write(piece)


def put(key: str, content: bytes) -> None:
    """Store bytes under a key, whole or not at all."""
    _write(key, [content])


def get(key: str) -> bytes:
    """The bytes under a key.

    Raises:
        NotFound: nothing is stored there.
    """
    filesystem, path = _place(key)
    try:
        content: bytes = filesystem.cat_file(path)
    except FileNotFoundError:
        raise NotFound("file") from None
    return content


@contextmanager
def opened(key: str) -> Iterator[Path]:
    """What is under a key as a file to read and nothing else, for as long as the block lasts.

    Raises:
        NotFound: nothing is stored there.
    """
    filesystem, path = _place(key)
    with TemporaryDirectory(prefix="tuneport-stored-") as folder:
        file = Path(path) if isinstance(filesystem, LocalFileSystem) else Path(folder) / "content"
        try:
            if not isinstance(filesystem, LocalFileSystem):
                filesystem.get_file(path, str(file))
            elif not file.is_file():
                raise FileNotFoundError
        except FileNotFoundError:
            raise NotFound("file") from None
        yield file


def put_file(key: str, file: Path) -> None:
    """Store a file under a key, whole or not at all."""
    with file.open("rb") as content:
        _write(key, iter(lambda: content.read(_CHUNK), b""))


def join(keys: Iterable[str], key: str, *digests: "hashlib._Hash") -> None:
    """Store what is under several keys, one after the other, under one; the digests are fed with it.

    Raises:
        NotFound: one of them is not there.
    """

    def pieces() -> Iterator[bytes]:
        for part in keys:
            piece = get(part)
            for digest in digests:
                digest.update(piece)
            yield piece

    _write(key, pieces())


def exists(key: str) -> bool:
    """Is something stored under this key?"""
    filesystem, path = _place(key)
    return bool(filesystem.exists(path))


def put_folder(folder: Path, prefix: str) -> dict[str, str]:
    """Store a folder's files below a prefix; gives relative path -> sha256 (hex) of each, the manifest."""
    filesystem, root = _place(prefix)
    manifest: dict[str, str] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        target = f"{root}/{name}"
        filesystem.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        filesystem.put_file(str(file), target)
        manifest[name] = sha256(file)
    return manifest


def get_folder(prefix: str, folder: Path, manifest: dict[str, str]) -> None:
    """Fetch the files of a manifest from below a prefix into a folder, and verify each.

    The folder appears whole or not at all.

    Raises:
        NotFound: a file is missing.
        ValueError: a file is not what the manifest says.
    """
    filesystem, root = _place(prefix)
    unfinished = folder.with_name(folder.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    for name, digest in manifest.items():
        target = unfinished / PurePosixPath(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            filesystem.get_file(f"{root}/{name}", str(target))
        except FileNotFoundError:
            raise NotFound("file") from None
        if sha256(target) != digest:
            raise ValueError(f"{prefix}/{name} is not what its manifest says")
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


@dataclass(frozen=True)
class Stored:
    """What is under a key, and when it came there."""

    key: str
    bytes: int
    written_at: datetime


def below(prefix: str) -> list[Stored]:
    """Everything that is stored below a prefix, which may be nothing."""
    filesystem, path = _place(prefix)
    found = filesystem.find(path, detail=True) if filesystem.exists(path) else {}
    return [
        Stored(f"{prefix}/{name.rsplit(f'{path}/', 1)[1]}", told["size"], filesystem.modified(name))
        for name, told in found.items()
    ]


def delete(prefix: str) -> None:
    """Remove a key, or everything below a prefix; gone already is fine."""
    filesystem, path = _place(prefix)
    if filesystem.exists(path):
        filesystem.rm(path, recursive=True)


def sha256(file: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
