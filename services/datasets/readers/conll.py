"""CoNLL: one token per line with its tag in the last column, an empty line after each sentence."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

from services.datasets.dropped import DropCode, Dropped, drop
from services.datasets.encodings import is_readable
from services.datasets.errors import UnsupportedFormat
from services.datasets.examples import TokenExample
from services.datasets.formats import Delimiter, Format
from services.datasets.limits import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS, MAX_TOKENS
from services.datasets.readers.tags import is_tag, to_iob2

_SAMPLE_SENTENCES = 500
_SAMPLE_CHARACTERS = 256 * 1024
_DOCUMENT_START = "-DOCSTART-"


def is_conll(text: str) -> bool:
    """Does nearly every line end in a tag after white space?

    Raises:
        UnsupportedFormat: one token per line, but the last column holds no entity tags.
    """
    found = sample(text)
    lines = [line for sentence in found for line in sentence]
    last = [fields[-1] if len(fields := line.split()) > 1 else "" for line in lines]
    if sum(map(is_tag, last)) > 0.9 * len(lines):
        return bool(lines)
    # Single words over single words, in groups: parts of speech, or entities without their prefixes.
    pairs = sum(len(line.split("\t")) == len(line.split()) == 2 for line in lines)
    if len(found) > 1 and len(lines) > 3 * len(found) and pairs > 0.9 * len(lines):
        raise UnsupportedFormat(
            "one token per line with tags that mark no entities", "Tag them as O, B-type and I-type."
        )
    return False


def detect_delimiter(text: str) -> Delimiter:
    """A tab where most lines have one, else white space."""
    lines = [line for sentence in sample(text) for line in sentence]
    return "\t" if sum("\t" in line for line in lines) * 2 > len(lines) else " "


def detect_width(text: str, delimiter: Delimiter) -> int:
    """The number of columns that most lines have; 0 without lines."""
    widths = Counter(len(_cells(line, delimiter)) for sentence in sample(text) for line in sentence)
    return max(widths, key=widths.__getitem__, default=0)


def sample(text: str) -> list[list[str]]:
    """The lines of the first sentences."""
    return list(islice(sentences(text[:_SAMPLE_CHARACTERS]), _SAMPLE_SENTENCES))


def sentences(text: str) -> Iterator[list[str]]:
    """The lines of each sentence; lines that only mark the start of a document are no part of any."""
    lines: list[str] = []
    for line in chain(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), [""]):
        if line.startswith(_DOCUMENT_START):
            continue
        if line.strip():
            lines.append(line)
        elif lines:
            yield lines
            lines = []


def read(text: str, form: Format) -> Iterator[TokenExample | Dropped]:
    """Every sentence as an example in IOB2, or as dropped; `row` is the number of the sentence."""
    token_at, tag_at = form.columns.index(form.text_column), form.columns.index(form.label_column)
    for row, lines in enumerate(sentences(text), 1):
        rows = [_cells(line, form.delimiter) for line in lines]
        if any(len(cells) != len(form.columns) for cells in rows):
            yield drop(row, DropCode.wrong_column_count, "\n".join(lines))
            continue
        tokens = tuple(cells[token_at] for cells in rows)
        tags = tuple(cells[tag_at] for cells in rows)
        if fault := _fault(tokens, tags):
            yield drop(row, fault, "\n".join(lines))
        else:
            yield TokenExample(row, tokens, to_iob2(tags))


def _cells(line: str, delimiter: Delimiter | None) -> list[str]:
    return [cell.strip() for cell in line.split("\t")] if delimiter == "\t" else line.split()


def _fault(tokens: tuple[str, ...], tags: tuple[str, ...]) -> DropCode | None:
    if not all(tokens):
        return DropCode.empty_token
    if not all(map(is_readable, chain(tokens, tags))):
        return DropCode.unreadable_row
    if not all(map(is_tag, tags)):
        return DropCode.broken_tag
    if max(map(len, tags)) > MAX_LABEL_CHARACTERS:
        return DropCode.label_too_long
    if len(tokens) > MAX_TOKENS or sum(map(len, tokens)) > MAX_TEXT_CHARACTERS:
        return DropCode.too_many_tokens
    return None
