"""Files that come packed: gzip, or a zip archive of one file or of a file for each split.

Nothing is unpacked further than to the limit.
"""

import io
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from services.datasets.errors import DamagedFile, EncryptedFile, SeveralFiles, UnpacksTooLarge
from services.datasets.formats import Packing
from services.datasets.limits import MAX_UNPACKED_BYTES, MAX_WORKBOOK_BYTES
from services.datasets.split import Split, split_named

GZIP, ZIP, PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
_EMPTY_ZIP = b"PK\x05\x06"
_WITH_GZIP_HEADER = 16 + zlib.MAX_WBITS
_ENCRYPTED = 0x1
_WORD = re.compile("[a-zA-Z]+")
_WORKBOOK = "xl/workbook.xml"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError)
# What systems put into archives beside the files of people.
_CLUTTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def packing_of(content: bytes) -> Packing | None:
    """How a file is packed; a workbook is an archive too, but read as one file."""
    if content.startswith(GZIP):
        return Packing.gzip
    if content.startswith((ZIP, _EMPTY_ZIP)) and not is_workbook(content):
        return Packing.splits if _splits_in(content) else Packing.zip
    return None


class Part(NamedTuple):
    """One of the files that were uploaded together: what it is for, its name, what it holds."""

    split: Split
    name: str
    content: bytes


def parts_of(content: bytes) -> tuple[Part, ...]:
    """The files of an archive with one for each split, train first, each unpacked where it is packed itself.

    Raises:
        UnpacksTooLarge: together they hold more than is read at once.
        DamagedFile, EncryptedFile, SeveralFiles: as for any archive.
    """
    parts, left = [], MAX_UNPACKED_BYTES
    with _archive(content) as archive:
        entries = _entries_by_split(archive)
        for split in filter(entries.__contains__, Split):
            inner = _read(archive, entries[split], left)
            inner = unpack(inner, packing_of(inner))
            left -= len(inner)
            if left < 0:
                raise UnpacksTooLarge
            parts.append(Part(split, PurePosixPath(entries[split].filename).name, inner))
    return tuple(parts)


def pack_splits(target: Path, files: Mapping[Split, tuple[str, Path]]) -> None:
    """Put files, each by its name and where it lies, into one archive; the folder in it says its split.

    They are not compressed: what comes compressed would gain nothing, and the rest is read soon.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for split, (name, file) in files.items():
            # Without the time, so that the same files make the same archive.
            entry = zipfile.ZipInfo(f"{split}/{PurePosixPath(name).name}")
            with file.open("rb") as source, archive.open(entry, "w", force_zip64=True) as packed:
                shutil.copyfileobj(source, packed)


def split_of_filename(filename: str) -> Split | None:
    """The split that a file is for by its folder's name or its own, such as `data/train.csv`."""
    path = PurePosixPath(filename)
    if found := split_named(path.parent.name):
        return found
    meant = {split for word in _WORD.findall(path.name.split(".")[0]) if (split := split_named(word))}
    return meant.pop() if len(meant) == 1 else None


def unpack(content: bytes, packing: Packing | None) -> bytes:
    """What the file holds; of several, the one to learn from.

    Raises:
        UnpacksTooLarge: it holds more than is read at once.
        DamagedFile, EncryptedFile: it cannot be unpacked.
        SeveralFiles: the archive has more than one file, or none.
    """
    match packing:
        case Packing.gzip:
            return _gunzip(content)
        case Packing.zip:
            return _unzip(content)
        case Packing.splits:
            return parts_of(content)[0].content
        case None:
            return content


def is_workbook(content: bytes) -> bool:
    """Is this an archive of the parts of an Excel workbook?"""
    if not (content.startswith(ZIP) and _WORKBOOK.encode() in content):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _WORKBOOK in archive.namelist()
    except _BROKEN:
        return True  # as which it is found to be damaged


def check_workbook(content: bytes) -> None:
    """Go on only if a workbook says that its parts unpack to a bearable size.

    Raises:
        UnpacksTooLarge, DamagedFile: otherwise.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DamagedFile("an Excel workbook") from error
    if size > MAX_WORKBOOK_BYTES:
        raise UnpacksTooLarge


def _gunzip(content: bytes) -> bytes:
    unpacked = bytearray()
    left = content
    # A gzip file may be several, one after another; zeros may fill it up to a block.
    while left.startswith(GZIP):
        member = zlib.decompressobj(_WITH_GZIP_HEADER)
        try:
            unpacked += member.decompress(left, MAX_UNPACKED_BYTES + 1 - len(unpacked))
        except zlib.error as error:
            raise DamagedFile("a gzip file") from error
        if len(unpacked) > MAX_UNPACKED_BYTES or member.unconsumed_tail:
            raise UnpacksTooLarge
        if not member.eof:
            raise DamagedFile("a gzip file")
        left = member.unused_data
    return bytes(unpacked)


def _unzip(content: bytes) -> bytes:
    with _archive(content) as archive:
        entries = _entries(archive)
        if len(entries) != 1:
            raise SeveralFiles(len(entries))
        return _read(archive, entries[0], MAX_UNPACKED_BYTES)


@contextmanager
def _archive(content: bytes) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield archive
    except _BROKEN as error:
        raise DamagedFile("a zip archive") from error


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [entry for entry in archive.infolist() if not _is_clutter(entry)]


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    if entry.flag_bits & _ENCRYPTED:
        raise EncryptedFile
    # What the directory says of sizes may be a lie, so the stream is cut, whatever it says.
    with archive.open(entry) as file:
        unpacked = file.read(most + 1)
    if len(unpacked) > most:
        raise UnpacksTooLarge
    return unpacked


def _splits_in(content: bytes) -> bool:
    """Is this an archive of several files, each for one split, of which one is to learn from?"""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return Split.train in _entries_by_split(archive)
    except _BROKEN:
        return False


def _entries_by_split(archive: zipfile.ZipFile) -> dict[Split, zipfile.ZipInfo]:
    """Split -> the file for it; empty where there is one file alone, or one that is for none or again."""
    entries = _entries(archive)
    found = {split: entry for entry in entries if (split := split_of_filename(entry.filename))}
    return found if len(found) == len(entries) > 1 else {}


def _is_clutter(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename
    return entry.is_dir() or name.startswith(_CLUTTER[0]) or name.endswith(_CLUTTER[1:])
