"""Parquet files, and the names of numbered labels that data sets of the Hugging Face hub keep in them."""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as arrow
from pyarrow.parquet import ParquetFile

from services.datasets.errors import DamagedFile, TooManyColumns, TooManyRows, UnpacksTooLarge
from services.datasets.limits import MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED_BYTES
from services.datasets.readers.columns import unique_names
from services.datasets.records import Record

_ROWS_AT_ONCE = 1_000
_KIND = "a Parquet file"


def open_table(content: bytes) -> ParquetFile:
    """The file, once its footer is seen to promise no more than is read.

    Raises:
        DamagedFile: the footer cannot be read.
        TooManyColumns, TooManyRows, UnpacksTooLarge: it promises too much.
    """
    try:
        file = ParquetFile(arrow.BufferReader(content), memory_map=False, pre_buffer=False)
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise DamagedFile(_KIND) from error
    footer = file.metadata
    if len(file.schema_arrow.names) > MAX_COLUMNS:
        raise TooManyColumns(len(file.schema_arrow.names))
    if footer.num_rows > MAX_ROWS:
        raise TooManyRows
    groups = [footer.row_group(at) for at in range(footer.num_row_groups)]
    if sum(group.total_byte_size for group in groups) > MAX_UNPACKED_BYTES:
        raise UnpacksTooLarge
    return file


def columns(file: ParquetFile) -> tuple[str, ...]:
    """The names of the columns, each once."""
    return unique_names(file.schema_arrow.names)


def read(file: ParquetFile) -> Iterator[Record]:
    """Every row; `row` is its number.

    Raises:
        DamagedFile: what follows the footer's promises cannot be read.
    """
    names, rows_before = columns(file), 0
    try:
        for batch in file.iter_batches(_ROWS_AT_ONCE, use_threads=False):
            values = [column.to_pylist() for column in batch.columns]
            for row, cells in enumerate(zip(*values, strict=True), rows_before + 1):
                yield Record(row, dict(zip(names, cells, strict=True)))
            rows_before += batch.num_rows
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise DamagedFile(_KIND) from error


def label_names(file: ParquetFile, column: str) -> tuple[str, ...]:
    """What the numbers of a column stand for, where the file says so."""
    said = (file.schema_arrow.metadata or {}).get(b"huggingface", b"{}")
    try:
        feature: Any = json.loads(said)["info"]["features"][column]
        while "names" not in feature:
            feature = feature["feature"]
        names = feature["names"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    return tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()
