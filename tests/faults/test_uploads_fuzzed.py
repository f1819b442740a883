"""Valid files of every format with bytes changed at random: read to the last row, or refused in words.

`FUZZED_UPLOADS` says how many variants of each file are tried; a few by default.
"""

import gzip
import io
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pyarrow
import pyarrow.parquet
import pytest

from services.datasets.detection import guess
from services.datasets.preview import inspect
from services.datasets.reading import read
from services.errors import ServiceError
from tests.services.datasets.workbooks import rows_of, workbook, zip_of

FILES = sorted((Path(__file__).parents[1] / "services/datasets/files").iterdir())
VARIANTS = int(os.environ.get("FUZZED_UPLOADS", "12"))
# Parsers that are no Python may crash, so that they only run apart, which takes a second each time.
VARIANTS_APART = VARIANTS // 10
# What readers treat as special.
PIECES = (
    *(b'"', b"'", b",", b";", b"\t", b"|", b"\n", b"\r", b"\n\n", b"{", b"}", b"[", b"]", b":", b"\\", b" "),
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", "😀ä中".encode()),
    *(
        b"NaN",
        b"1e999",
        b"-1",
        b"9" * 400,
        b"null",
        b"true",
        b'"label":',
        b'"text":',
        b"__label__",
        b"O",
        b"B-",
    ),
    *(b"[[[[", b'{"a":{"a":', b"-DOCSTART-", b"#", b"PK\x03\x04", b"PAR1", b"\x1f\x8b"),
)


def mutated(content: bytes, random: Random) -> bytes:
    """The file with one to five changes: bytes flipped, stretches cut, doubled or moved, pieces put in."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 5)):
        at, end = sorted(random.randrange(len(changed) + 1) for _ in range(2))
        match random.randrange(6):
            case 0 if changed:
                changed[at % len(changed)] ^= 1 << random.randrange(8)
            case 1:
                del changed[at : min(end, at + 40)]
            case 2:
                changed[at:at] = changed[at : min(end, at + 400)] * random.randint(1, 3)
            case 3:
                changed[at:at] = random.choice(PIECES) * random.choice((1, 1, 1, 50))
            case 4:
                del changed[end:]
            case _:
                changed[at:end] = random.choice(PIECES)
    return bytes(changed)


def read_to_the_end(content: bytes) -> None:
    """Nothing but a refusal in words may stop it, and no number of a row is missing or there twice."""
    try:
        found = read(content, guess(content).form)
    except ServiceError:
        return
    rows = sorted(item.row for item in (*found.examples, *found.dropped))
    assert rows == list(range(rows[0], rows[0] + len(rows))) if rows else True


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_changed_file_of_text_is_read_or_refused(file: Path) -> None:
    random = Random(file.name)

    for _ in range(VARIANTS):
        read_to_the_end(mutated(file.read_bytes(), random))


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zip_of(data=content)], ids=["gzip", "zip"])
@pytest.mark.parametrize("file", FILES[::5], ids=lambda file: file.name)
def test_a_changed_archive_is_read_or_refused(file: Path, pack: Callable[[bytes], bytes]) -> None:
    random = Random(file.name)

    for _ in range(VARIANTS):
        read_to_the_end(mutated(pack(file.read_bytes()), random))


def parquet(compression: str) -> bytes:
    table = pyarrow.table({"text": [f"text {row}" for row in range(50)], "label": ["a", "b"] * 25})
    target = io.BytesIO()
    pyarrow.parquet.write_table(table, target, compression=compression)
    return target.getvalue()


def sheet() -> bytes:
    return workbook(Data=rows_of([["text", "label"], *([f"text {row}", row % 2] for row in range(50))]))


@pytest.mark.parametrize(
    "make", [partial(parquet, "none"), partial(parquet, "snappy"), sheet], ids=["parquet", "snappy", "excel"]
)
def test_a_changed_file_for_a_foreign_parser_is_read_or_refused(make: Callable[[], bytes]) -> None:
    random = Random(7)
    content = make()

    for _ in range(VARIANTS_APART):
        try:
            _, seen = inspect(mutated(content, random))
        except ServiceError:
            continue
        assert seen.rows_in == seen.rows_used + sum(group.count for group in seen.dropped)
