"""Files that come packed: gzip, or a zip archive of one file, unpacked no further than to the limit."""

import io
import zipfile
import zlib

from services.datasets.errors import DamagedFile, EncryptedFile, SeveralFiles, UnpacksTooLarge
from services.datasets.formats import Packing
from services.datasets.limits import MAX_UNPACKED_BYTES, MAX_WORKBOOK_BYTES

GZIP, ZIP, PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
_EMPTY_ZIP = b"PK\x05\x06"
_WITH_GZIP_HEADER = 16 + zlib.MAX_WBITS
_ENCRYPTED = 0x1
_WORKBOOK = "xl/workbook.xml"
# What systems put into archives beside the files of people.
_CLUTTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def packing_of(content: bytes) -> Packing | None:
    """How a file is packed; a workbook is an archive too, but read as one file."""
    if content.startswith(GZIP):
        return Packing.gzip
    if content.startswith((ZIP, _EMPTY_ZIP)) and not is_workbook(content):
        return Packing.zip
    return None


def unpack(content: bytes, packing: Packing | None) -> bytes:
    """What the file holds.

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
        case None:
            return content


def is_workbook(content: bytes) -> bool:
    """Is this an archive of the parts of an Excel workbook?"""
    return content.startswith(ZIP) and _WORKBOOK.encode() in content


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
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not _is_clutter(entry)]
            if len(entries) != 1:
                raise SeveralFiles(len(entries))
            if entries[0].flag_bits & _ENCRYPTED:
                raise EncryptedFile
            # What the directory says of sizes may be a lie, so the stream is cut, whatever it says.
            with archive.open(entries[0]) as file:
                unpacked = file.read(MAX_UNPACKED_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError) as error:
        raise DamagedFile("a zip archive") from error
    if len(unpacked) > MAX_UNPACKED_BYTES:
        raise UnpacksTooLarge
    return unpacked


def _is_clutter(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename
    return entry.is_dir() or name.startswith(_CLUTTER[0]) or name.endswith(_CLUTTER[1:])
