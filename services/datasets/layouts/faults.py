"""What is wrong with a text or a label, wherever it stands."""

from services.datasets.dropped import DropCode
from services.datasets.encodings import is_readable
from services.datasets.limits import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS


def text_fault(text: str) -> DropCode | None:
    """Why a text, without space around it, cannot be used."""
    if not text:
        return DropCode.empty_text
    if not is_readable(text):
        return DropCode.unreadable_row
    if len(text) > MAX_TEXT_CHARACTERS:
        return DropCode.text_too_long
    return None


def label_fault(label: str) -> DropCode | None:
    """Why a label, without space around it, cannot be used."""
    if not label:
        return DropCode.missing_label
    if not is_readable(label):
        return DropCode.unreadable_row
    if len(label) > MAX_LABEL_CHARACTERS:
        return DropCode.label_too_long
    return None
