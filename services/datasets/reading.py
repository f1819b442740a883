"""Read a whole file: every row becomes an example or is dropped with a reason."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from services.datasets.dropped import DropCode, Dropped
from services.datasets.encodings import Encoding, decode
from services.datasets.errors import FileTooLarge, TooManyRows
from services.datasets.examples import Example, MultiLabelExample, TextExample
from services.datasets.formats import Container, Format, Packing
from services.datasets.layouts.interpreting import interpreted
from services.datasets.limits import MAX_BYTES, MAX_ROWS
from services.datasets.notes import Note, NoteCode, Notes
from services.datasets.packing import unpack
from services.datasets.readers import conll, delimited, excel, fasttext, json_list, jsonl, parquet
from services.datasets.records import Record, scalar
from services.datasets.split import Split, split_named
from services.datasets.together import pieces


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held, both parts in the file's order, and what is worth telling about it."""

    examples: tuple[Example, ...]
    dropped: tuple[Dropped, ...]
    notes: tuple[Note, ...] = ()
    # Row -> the split that the file gives it, and row -> its group; rows without are not in there.
    given: Mapping[int, Split] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)

    @property
    def rows_in(self) -> int:
        """The rows of the file, without its header: used and dropped ones."""
        return len(self.examples) + len(self.dropped)

    @property
    def dropped_by_code(self) -> dict[DropCode, int]:
        """How many rows were dropped for each reason, the most frequent first."""
        return dict(Counter(row.code for row in self.dropped).most_common())


def read(content: bytes, form: Format) -> Reading:
    """Every row of a file, used or dropped.

    Raises:
        FileTooLarge, EmptyFile, BinaryFile: it cannot be read at all.
        UnpacksTooLarge, DamagedFile, EncryptedFile, SeveralFiles: it cannot be unpacked.
        BrokenJson: from some place on, it is no JSON.
        TooManyRows: over the limit.
        UnknownColumn: the file's header lacks the text or the label column.
        FilesDiffer: of several files, one has other columns.
    """
    if len(content) > MAX_BYTES:
        raise FileTooLarge(len(content))
    notes = Notes()
    given: dict[int, Split] = {}
    groups: dict[int, str] = {}
    examples: list[Example] = []
    dropped: list[Dropped] = []
    for item in _items(content, form, notes, given, groups):
        if isinstance(item, Dropped):
            dropped.append(item)
        else:
            examples.append(item)
        if len(examples) + len(dropped) > MAX_ROWS:
            raise TooManyRows
    if _labels_are_numbers(examples):
        notes.file(NoteCode.numbers_as_labels)
    return Reading(tuple(examples), tuple(dropped), notes.told(), given, groups)


def _items(
    content: bytes, form: Format, notes: Notes, given: dict[int, Split], groups: dict[int, str]
) -> Iterator[Example | Dropped]:
    """What becomes of each row; of several files one after the other, with their rows numbered through."""
    if form.packing is not Packing.splits:
        records = _records(unpack(content, form.packing), form, notes)
        yield from interpreted(_set_aside(records, form, given, groups), form, notes)
        return
    before, starts = 0, []
    for piece in pieces(content, form, notes):
        starts.append(f"“{piece.name}” ({piece.split}) from {before + 1:,} on")
        records = _records(piece.content, piece.form, notes)
        numbered = (record._replace(row=before + record.row) for record in records)
        last = before
        for item in interpreted(_set_aside(numbered, piece.form, {}, groups), piece.form, notes):
            given[item.row] = piece.split
            last = item.row
            yield item
        before = last
    notes.file(NoteCode.several_files, files=", ".join(starts))


def _set_aside(
    records: Iterator[Record], form: Format, given: dict[int, Split], groups: dict[int, str]
) -> Iterator[Record]:
    """Note split and group of each row as it passes."""
    if not (form.split_column or form.group_column):
        yield from records
        return
    for record in records:
        if not isinstance(record.fields, DropCode):
            if split := split_named(scalar(record.fields.get(form.split_column or "")) or ""):
                given[record.row] = split
            if group := scalar(record.fields.get(form.group_column or "")):
                groups[record.row] = group
        yield record


def _records(content: bytes, form: Format, notes: Notes) -> Iterator[Record]:
    match form.container:
        case Container.parquet:
            return parquet.read(parquet.open_table(content))
        case Container.excel:
            sheet = excel.open_sheet(content, form.sheet)
            if len(sheet.names) > 1:
                notes.file(NoteCode.other_sheets)
            return excel.read(sheet, form)
    text = decode(content, form.encoding or Encoding.utf_8)
    match form.container:
        case Container.jsonl:
            return jsonl.read(text)
        case Container.json:
            return json_list.read(text)
        case Container.conll:
            return conll.read(text, form)
        case Container.fasttext:
            return fasttext.read(text)
    return delimited.read(text, form)


def _labels_are_numbers(examples: list[Example]) -> bool:
    labels = {
        label
        for example in examples
        if isinstance(example, TextExample | MultiLabelExample)
        for label in example.labels
    }
    return bool(labels) and all(map(str.isdecimal, labels))
