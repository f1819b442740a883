"""One record with a text and a label, wherever it was read from."""

from services.datasets.dropped import DropCode, Dropped, drop
from services.datasets.encodings import is_readable
from services.datasets.examples import TextExample
from services.datasets.limits import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS


def text_example(row: int, text: str, label: str, original: tuple[str, ...]) -> TextExample | Dropped:
    """The example in a record, without white space around text and label, or the reason there is none."""
    text, label = text.strip(), label.strip()
    if fault := _fault(text, label):
        return drop(row, fault, *original)
    return TextExample(row, text, label)


def _fault(text: str, label: str) -> DropCode | None:
    if not text:
        return DropCode.empty_text if label else DropCode.empty_row
    if not label:
        return DropCode.missing_label
    if not (is_readable(text) and is_readable(label)):
        return DropCode.unreadable_row
    if len(text) > MAX_TEXT_CHARACTERS:
        return DropCode.text_too_long
    if len(label) > MAX_LABEL_CHARACTERS:
        return DropCode.label_too_long
    return None
