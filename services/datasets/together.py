"""Two or three files that were uploaded together, one for each split, each read as it is written.

What is said of the format is said of the first file. What was corrected there holds for every file of which
we guess the same; where we guess otherwise (another encoding, another delimiter, even another kind of file),
the file is read as we guess. The columns that are read must bear the same names in all of them.
"""

from contextlib import suppress
from typing import NamedTuple

from services.datasets.detection import Known, guess_unpacked
from services.datasets.errors import FilesDiffer
from services.datasets.formats import Container, Format
from services.datasets.notes import NoteCode, Notes
from services.datasets.packing import Part, parts_of
from services.datasets.split import Split
from services.errors import ServiceError

_WRITTEN = {
    "container": "kind",
    "encoding": "encoding",
    "delimiter": "separator",
    "quote": "quotes",
    "has_header": "header",
}


class Piece(NamedTuple):
    """One of the files: what it is for, its name, what it holds, and how it is read."""

    split: Split
    name: str
    content: bytes
    form: Format


def pieces(content: bytes, form: Format, notes: Notes) -> list[Piece]:
    """The files of an archive, train first.

    Raises:
        ServiceError: one of them cannot be read, as `guess_unpacked` says; its sentence begins with the file.
        FilesDiffer: one lacks a column that is read.
    """
    first, *others = parts_of(content)
    guessed = form
    with suppress(ServiceError):
        guessed = guess_unpacked(first.content, Known(task=form.task, layout=form.layout)).form
    found = [Piece(*first, form)]
    for part in others:
        try:
            found.append(Piece(*part, _form_of(part, form, guessed, first.name)))
        except FilesDiffer:
            raise
        except ServiceError as problem:
            problem.message = f"“{part.name}”: {problem.message}"
            raise
    if differing := [told for piece in found[1:] if (told := _told(piece, form))]:
        notes.file(NoteCode.files_written_otherwise, files="; ".join(differing))
    return found


def _form_of(part: Part, form: Format, guessed: Format, first: str) -> Format:
    """How one of the other files is read."""
    meant = Known(task=form.task, layout=form.layout)
    own = guess_unpacked(part.content, meant).form
    known = meant | Known(container=form.container if own.container is guessed.container else own.container)
    if own.container is form.container:
        for name in ("encoding", "delimiter", "quote"):
            value = getattr(form if getattr(own, name) == getattr(guessed, name) else own, name)
            known[name] = value
    as_first = guess_unpacked(part.content, known | Known(has_header=form.has_header)).form
    if set(form.used_columns) <= set(as_first.columns):
        return _read_as(as_first, form, as_first.columns)
    own = guess_unpacked(part.content, known).form
    if form.has_header and not own.has_header and len(own.columns) == len(form.columns) and _is_table(own):
        return _read_as(own, form, form.columns)
    missing = next(column for column in form.used_columns if column not in as_first.columns)
    raise FilesDiffer(part.name, first, missing, as_first.columns)


def _read_as(own: Format, form: Format, columns: tuple[str, ...]) -> Format:
    """The file's own way of being written, with what the first file says of the meaning."""
    return form.changed(
        packing=None,
        columns=columns,
        sheet=own.sheet,
        label_names=own.label_names or form.label_names,
        **{name: getattr(own, name) for name in _WRITTEN},
    )


def _is_table(form: Format) -> bool:
    return form.container in (Container.delimited, Container.excel)


def _told(piece: Piece, first: Format) -> str:
    """In what a file differs from the first, in words; nothing where it does not."""
    differing = {
        word: getattr(piece.form, name)
        for name, word in _WRITTEN.items()
        if getattr(piece.form, name) != getattr(first, name)
    }
    words = ", ".join(f"{word} {_shown(value)}" for word, value in differing.items())
    return f"“{piece.name}” has {words}" if words else ""


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "in the first row" if value else "none"
    return f"“{value}”" if value else "none"
