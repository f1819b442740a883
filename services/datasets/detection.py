"""Guess how a file is to be read."""

from services.datasets.encodings import Encoding, decode, detect_encoding
from services.datasets.errors import FileTooLarge, OneColumn, TooManyColumns
from services.datasets.formats import Container, Delimiter, Format, numbered
from services.datasets.limits import MAX_BYTES, MAX_COLUMNS
from services.datasets.readers import conll, delimited, jsonl
from services.datasets.readers.columns import looks_like_header, text_and_label, unique_names
from services.training.recipe import Task


def detect(
    content: bytes,
    *,
    encoding: Encoding | None = None,
    container: Container | None = None,
    delimiter: Delimiter | None = None,
    has_header: bool | None = None,
) -> Format:
    """The likely format of a file; what is given is taken as known, and the rest is guessed from it.

    Raises:
        FileTooLarge, EmptyFile, BinaryFile, UnsupportedFormat, OneColumn, TooManyColumns: it cannot be read.
    """
    if len(content) > MAX_BYTES:
        raise FileTooLarge(len(content))
    encoding = encoding or detect_encoding(content)
    text = decode(content, encoding)
    match container or _container(text):
        case Container.jsonl:
            return _jsonl(text, encoding)
        case Container.conll:
            return _conll(text, encoding, delimiter)
        case Container.delimited:
            return _delimited(text, encoding, delimiter, has_header)


def _container(text: str) -> Container:
    if jsonl.is_jsonl(text):
        return Container.jsonl
    if conll.is_conll(text):
        return Container.conll
    return Container.delimited


def _jsonl(text: str, encoding: Encoding) -> Format:
    names, rows = jsonl.sample(text)
    _check_width(len(names))
    text_at, label_at = text_and_label(names, rows)
    return Format(
        container=Container.jsonl,
        encoding=encoding,
        delimiter=None,
        has_header=False,
        columns=names,
        text_column=names[text_at],
        label_column=names[label_at],
        task=Task.text_classification,
    )


def _conll(text: str, encoding: Encoding, delimiter: Delimiter | None) -> Format:
    delimiter = delimiter or conll.detect_delimiter(text)
    names = numbered(conll.detect_width(text, delimiter))
    _check_width(len(names))
    return Format(
        container=Container.conll,
        encoding=encoding,
        delimiter=delimiter,
        has_header=False,
        columns=names,
        text_column=names[0],
        label_column=names[-1],
        task=Task.token_classification,
    )


def _delimited(text: str, encoding: Encoding, delimiter: Delimiter | None, has_header: bool | None) -> Format:
    delimiter = delimiter or delimited.detect_delimiter(text)
    rows = delimited.sample(text, delimiter)
    width = delimited.usual_width(rows)
    _check_width(width)
    if has_header is None:
        has_header = looks_like_header([row for row in rows if len(row) == width])
    names = unique_names(rows[0]) if has_header else numbered(width)
    _check_width(len(names))
    even = [row for row in rows[has_header:] if len(row) == len(names)]
    text_at, label_at = text_and_label(names, even)
    return Format(
        container=Container.delimited,
        encoding=encoding,
        delimiter=delimiter,
        has_header=has_header,
        columns=names,
        text_column=names[text_at],
        label_column=names[label_at],
        task=Task.text_classification,
    )


def _check_width(columns: int) -> None:
    if columns < 2:
        raise OneColumn
    if columns > MAX_COLUMNS:
        raise TooManyColumns(columns)
