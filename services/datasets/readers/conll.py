"""CoNLL: one token per line with its tag in a column, an empty line after each sentence; CoNLL-U as well."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

from services.datasets.dropped import DropCode
from services.datasets.errors import UnsupportedFormat
from services.datasets.formats import Delimiter, Format, numbered
from services.datasets.readers.columns import unique_names
from services.datasets.readers.tags import OUTSIDE, is_tag
from services.datasets.records import Record

CONLL_U = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
ID, FORM, MISC = CONLL_U[0], CONLL_U[1], CONLL_U[-1]
_SAMPLE_SENTENCES = 500
_SAMPLE_CHARACTERS = 256 * 1024
_DOCUMENT_START = "-DOCSTART-"
_COMMENT = re.compile(r"#(?: *[\w.:]+ *=|\s[^\t]*$)")
_NAMED_COLUMNS = re.compile(r"#\s*global\.columns\s*=\s*(.+)")
# Words that a contraction stands for, and words that are not written: neither is in the sentence.
_NOT_A_TOKEN = re.compile(r"\d+[-.]\d+")
_TAG_IN_MISC = re.compile(r"(?:^|\|)(?:NE|NER|Entity|BIO)=([^|]+)", re.IGNORECASE)


def is_conll(text: str) -> bool:
    """Does nearly every line end in a tag after white space, or is this CoNLL-U with tags in a column?

    Raises:
        UnsupportedFormat: one token per line, but no column holds entity tags.
    """
    found = sample(text)
    lines = [line for sentence in found for line in sentence]
    last = [fields[-1] if len(fields := line.split()) > 1 else "" for line in lines]
    if sum(map(is_tag, last)) > 0.9 * len(lines):
        return bool(lines)
    if is_conll_u(text):
        if tag_column(text, "\t") is None:
            _refuse_tags_of_no_entities()
        return True
    # Single words over single words, in groups: parts of speech, or entities without their prefixes.
    pairs = sum(len(line.split("\t")) == len(line.split()) == 2 for line in lines)
    if len(found) > 1 and len(lines) > 3 * len(found) and pairs > 0.9 * len(lines):
        _refuse_tags_of_no_entities()
    return False


def is_conll_u(text: str) -> bool:
    """Do the lines have ten columns or more, of which the first counts the tokens?"""
    lines = [line for sentence in sample(text) for line in sentence]
    counted = [line for line in lines if re.match(r"\d+(?:[-.]\d+)?\t(?:[^\t]*\t){8}", line)]
    return len(counted) > 0.9 * len(lines)


def detect_delimiter(text: str) -> Delimiter:
    """A tab where most lines have one, else white space."""
    lines = [line for sentence in sample(text) for line in sentence]
    return "\t" if sum("\t" in line for line in lines) * 2 > len(lines) else " "


def detect_columns(text: str, delimiter: Delimiter) -> tuple[str, ...]:
    """The columns that most lines have; none without lines. Those of CoNLL-U have names."""
    widths = Counter(len(_cells(line, delimiter)) for sentence in sample(text) for line in sentence)
    width = max(widths, key=widths.__getitem__, default=0)
    if not is_conll_u(text):
        return numbered(width)
    named = _NAMED_COLUMNS.search(text[:_SAMPLE_CHARACTERS])
    names = named[1].split() if named else list(CONLL_U)
    return unique_names([*names, *[""] * (width - len(names))][:width])


def tag_column(text: str, delimiter: Delimiter) -> str | None:
    """The last column in which all cells are tags, not only O; or MISC, if tags stand in there."""
    names = detect_columns(text, delimiter)
    lines = [_cells(line, delimiter) for sentence in sample(text) for line in sentence]
    even = [cells for cells in lines if len(cells) == len(names) and not _NOT_A_TOKEN.fullmatch(cells[0])]
    for at in reversed(range(len(names))):
        cells = {_tag(row[at], names[at]) for row in even}
        if cells - {OUTSIDE} and all(map(is_tag, cells)):
            return names[at]
    return None


def sample(text: str) -> list[list[str]]:
    """The lines of the first sentences."""
    return list(islice(sentences(text[:_SAMPLE_CHARACTERS]), _SAMPLE_SENTENCES))


def sentences(text: str) -> Iterator[list[str]]:
    """The lines of each sentence, without comments and what only marks the start of a document."""
    lines: list[str] = []
    for line in chain(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), [""]):
        if line.startswith(_DOCUMENT_START) or (line.startswith("#") and _is_comment(line)):
            continue
        if line.strip():
            lines.append(line)
        elif lines:
            yield lines
            lines = []


def read(text: str, form: Format) -> Iterator[Record]:
    """Every sentence, with the lists of its tokens and tags; `row` is the number of the sentence."""
    token, tag = form.text_column, form.label_column or form.columns[-1]
    token_at, tag_at = form.columns.index(token), form.columns.index(tag)
    in_conll_u = form.columns[0] == ID
    for row, lines in enumerate(sentences(text), 1):
        cells = [_cells(line, form.delimiter) for line in lines]
        original = ("\n".join(lines),)
        if in_conll_u:
            cells = [line for line in cells if not _NOT_A_TOKEN.fullmatch(line[0])]
        if any(len(line) != len(form.columns) for line in cells):
            yield Record(row, DropCode.wrong_column_count, original)
        else:
            tokens, tags = [line[token_at] for line in cells], [_tag(line[tag_at], tag) for line in cells]
            yield Record(row, {token: tokens, tag: tags}, original)


def _cells(line: str, delimiter: Delimiter | None) -> list[str]:
    return [cell.strip() for cell in line.split("\t")] if delimiter == "\t" else line.split()


def _tag(cell: str, column: str) -> str:
    if column != MISC:
        return cell
    found = _TAG_IN_MISC.search(cell)
    return found[1] if found else OUTSIDE


def _is_comment(line: str) -> bool:
    """A number sign and a value or words; a number sign with nothing but a tag behind it is a token."""
    return _COMMENT.match(line) is not None and not (len(words := line.split()) == 2 and is_tag(words[1]))


def _refuse_tags_of_no_entities() -> None:
    raise UnsupportedFormat(
        "one token per line with tags that mark no entities", "Tag them as O, B-type and I-type."
    )
