"""Files, formats and examples for tests, with sensible defaults by keyword."""

from collections.abc import Iterable

from services.datasets.dropped import Dropped
from services.datasets.encodings import Encoding
from services.datasets.examples import Example, TextExample, TokenExample
from services.datasets.formats import Container, Format
from services.datasets.layouts.interpreting import interpreted
from services.datasets.notes import Notes
from services.datasets.records import Record
from services.training.recipe import Task


def csv_form(**changes: object) -> Format:
    return Format(
        **{
            "container": Container.delimited,
            "encoding": Encoding.utf_8,
            "delimiter": ",",
            "has_header": True,
            "columns": ("text", "label"),
            "text_column": "text",
            "label_column": "label",
            "task": Task.text_classification,
        }
        | changes
    )


def jsonl_form(**changes: object) -> Format:
    return csv_form(**{"container": Container.jsonl, "delimiter": None, "has_header": False} | changes)


def conll_form(**changes: object) -> Format:
    return csv_form(
        **{
            "container": Container.conll,
            "delimiter": "\t",
            "has_header": False,
            "columns": ("column 1", "column 2"),
            "text_column": "column 1",
            "label_column": "column 2",
            "task": Task.token_classification,
        }
        | changes
    )


def rows(records: Iterable[Record], form: Format) -> list[Example | Dropped]:
    """What becomes of records that are read in a format."""
    return list(interpreted(records, form, Notes()))


def texts(**counts: int) -> list[TextExample]:
    """So many different texts of each label."""
    pairs = [(f"{label} {number}", label) for label, count in counts.items() for number in range(count)]
    return [TextExample(row, text, label) for row, (text, label) in enumerate(pairs, 2)]


def sentence(row: int, *tagged: str) -> TokenExample:
    """From `token/tag` words."""
    pairs = [word.rsplit("/", 1) for word in tagged]
    return TokenExample(row, tuple(token for token, _ in pairs), tuple(tag for _, tag in pairs))


def support_csv(rows: int = 30) -> bytes:
    """A good file with a header and `rows` rows of two labels."""
    lines = [f"message number {number},{'refund' if number % 2 else 'order'}" for number in range(rows)]
    return "\n".join(["text,label", *lines, ""]).encode()
