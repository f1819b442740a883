"""Which tool wrote these rows? Asked of a sample, the most telling marks first."""

from collections.abc import Callable, Sequence

from services.datasets.layouts import annotations, argilla, chats, label_studio, tokens
from services.datasets.layouts.mapping import recognise_columns
from services.datasets.layouts.recognised import Recognised, Rows, Wanted
from services.training.recipe import Task

_LOOKS: tuple[Callable[[Sequence[str], Rows], Recognised | None], ...] = (
    label_studio.recognise,
    label_studio.recognise_min,
    argilla.recognise,
    argilla.recognise_flat,
    chats.recognise_messages,
    chats.recognise_alpaca,
    chats.recognise_prompts,
    tokens.recognise,
    annotations.recognise,
    annotations.recognise_answers,
)


def recognise(names: Sequence[str], rows: Rows, wanted: Wanted) -> Recognised:
    """The likely layout of rows with these fields; what is wanted is taken as known.

    Raises:
        UnsupportedFormat, UnknownColumn: as `recognise_columns` says.
    """
    for look in _LOOKS if wanted.task is not Task.unlabelled else ():
        found = look(names, rows)
        if found is not None and wanted.layout in (None, found.fields["layout"]):
            return found.mapped(wanted)
    return recognise_columns(names, rows, wanted)
