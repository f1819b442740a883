"""Bytes to characters: which encoding a file is in, and what becomes of bytes that do not fit it."""

import codecs
import re
from enum import StrEnum
from itertools import islice

from charset_normalizer import from_bytes

from services.datasets.errors import BinaryFile, EmptyFile, FileTooLarge, UnsupportedFormat
from services.datasets.limits import MAX_BYTES


class Encoding(StrEnum):
    """The encodings that are read."""

    utf_8 = "utf-8"
    utf_16_le = "utf-16-le"
    utf_16_be = "utf-16-be"
    gb18030 = "gb18030"
    windows_1252 = "windows-1252"


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, Encoding.utf_8),
    (codecs.BOM_UTF16_LE, Encoding.utf_16_le),
    (codecs.BOM_UTF16_BE, Encoding.utf_16_be),
)
_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF-", "a PDF document"),
    (b"PAR1", "a Parquet file"),
)
_SAMPLE_BYTES = 64 * 1024
_SAMPLE_LINES = 1_000
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1a\x1b"))
_MAX_CONTROL_SHARE = 0.01
# A lone surrogate is no character, so it can stand for "here were bytes that could not be read".
_UNREADABLE = "\udcff"
_NOT_CHARACTERS = re.compile("[\ud800-\udfff\x00]")

codecs.register_error("tuneport-unreadable", lambda error: (_UNREADABLE, getattr(error, "end", 0)))


def detect_encoding(content: bytes) -> Encoding:
    """The encoding of a file, by its mark, its bytes, or (for the national ones) the likelihood of its words.

    Raises:
        UnsupportedFormat: a spreadsheet, an archive, a document, or an encoding not read here.
        BinaryFile: no text.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return encoding
    for signature, found in _SIGNATURES:
        if content.startswith(signature):
            raise UnsupportedFormat(found, "Save the data as CSV or JSONL and upload that.")

    sample = content[:_SAMPLE_BYTES]
    if b"\x00" in sample:
        return _utf_16(sample)
    if len(sample) - len(sample.translate(None, _CONTROLS)) > _MAX_CONTROL_SHARE * len(sample):
        raise BinaryFile
    if _is_utf_8(content):
        return Encoding.utf_8
    return _national(content)


def decode(content: bytes, encoding: Encoding) -> str:
    """The characters of a file; bytes that do not fit become what `is_readable` refuses.

    Raises:
        FileTooLarge: over the limit of bytes.
        EmptyFile: nothing but white space.
        BinaryFile: holds NUL characters.
    """
    if len(content) > MAX_BYTES:
        raise FileTooLarge(len(content))
    text = content.decode(encoding, "tuneport-unreadable").removeprefix("\ufeff")
    if not text.strip():
        raise EmptyFile
    if "\x00" in text:
        raise BinaryFile
    return text


def is_readable(text: str) -> bool:
    """Is every character one that can be stored and shown?"""
    return _NOT_CHARACTERS.search(text) is None


def visible(text: str) -> str:
    """The text with a replacement sign wherever it could not be read, fit to be shown and stored."""
    return _NOT_CHARACTERS.sub("\ufffd", text)


def _utf_16(sample: bytes) -> Encoding:
    whole = sample[: len(sample) // 2 * 2]
    for encoding in (Encoding.utf_16_le, Encoding.utf_16_be):
        text = whole.decode(encoding, "replace")
        # Read in the wrong byte order a line break is U+0A00 or U+0D00, and there is none left.
        if ("\n" in text or "\r" in text) and "\x00" not in text and text.count("\ufffd") <= 1:
            return encoding
    raise BinaryFile


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("utf-8", "replace")
        wrong = text.count("\ufffd")
        right = len(text) - len(text.encode("ascii", "ignore")) - wrong
        # Accents of another encoding hardly ever form valid UTF-8, so a few faults are damaged rows.
        return wrong * 10 <= right
    return True


def _national(content: bytes) -> Encoding:
    telling = (line for line in content.split(b"\n") if not line.isascii())
    sample = b"\n".join(islice(telling, _SAMPLE_LINES))[:_SAMPLE_BYTES]
    best = from_bytes(sample, cp_isolation=["gb18030", "cp1252"]).best()
    if best is None:
        raise UnsupportedFormat("text in an encoding we do not know", "Save it as UTF-8 and upload that.")
    return Encoding.gb18030 if best.encoding == "gb18030" else Encoding.windows_1252
