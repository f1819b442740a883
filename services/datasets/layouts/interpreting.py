"""From rows to examples: each by the layout of the file, and none lost."""

from collections.abc import Callable, Iterable, Iterator

from services.datasets.dropped import DropCode, Dropped, drop
from services.datasets.examples import Example
from services.datasets.formats import Format, Layout
from services.datasets.layouts import annotations, argilla, chats, columns, label_studio, tokens
from services.datasets.layouts.columns import Interpret
from services.datasets.notes import Notes
from services.datasets.records import Record

INTERPRETERS: dict[Layout, Callable[[Format, Notes], Interpret]] = {
    Layout.columns: columns.interpreter,
    Layout.tokens: tokens.interpreter,
    Layout.doccano: annotations.interpreter,
    Layout.prodigy: annotations.interpreter,
    Layout.spacy: annotations.interpreter,
    Layout.label_studio: label_studio.interpreter,
    Layout.label_studio_min: label_studio.interpreter_min,
    Layout.argilla: argilla.interpreter,
    Layout.argilla_flat: argilla.interpreter_flat,
    Layout.messages: chats.interpreter_messages,
    Layout.sharegpt: chats.interpreter_messages,
    Layout.prompt_completion: chats.interpreter_prompts,
    Layout.alpaca: chats.interpreter_prompts,
}


def interpreted(records: Iterable[Record], form: Format, notes: Notes) -> Iterator[Example | Dropped]:
    """Every row as an example, or as dropped with its reason."""
    interpret = INTERPRETERS[form.layout](form, notes)
    if form.layout is Layout.label_studio_min:
        records = label_studio.gathered(records, form)
    for record in records:
        row, fields, _ = record
        found = fields if isinstance(fields, DropCode) else interpret(row, fields)
        yield drop(row, found, *record.shown) if isinstance(found, DropCode) else found
