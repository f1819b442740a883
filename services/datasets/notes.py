"""What is worth telling about a file's reading, though no row was lost by it."""

from dataclasses import dataclass, field
from enum import StrEnum
from statistics import fmean

_KEPT_ROWS = 50


class NoteCode(StrEnum):
    """What was noticed or put right while reading."""

    utf16_offsets = "utf16_offsets"
    byte_offsets = "byte_offsets"
    overlapping_spans = "overlapping_spans"
    repeated_spans = "repeated_spans"
    trimmed_spans = "trimmed_spans"
    divided_words = "divided_words"
    skipped_annotations = "skipped_annotations"
    several_annotators = "several_annotators"
    numbers_as_labels = "numbers_as_labels"
    numbers_as_tags = "numbers_as_tags"
    repeated_labels = "repeated_labels"
    tool_calls = "tool_calls"
    other_sheets = "other_sheets"
    several_files = "several_files"
    files_written_otherwise = "files_written_otherwise"


_SENTENCES = {
    NoteCode.utf16_offsets: "Entities were placed by UTF-16 units, as JavaScript counts, and were converted.",
    NoteCode.byte_offsets: "Entities were placed by bytes; they were converted to characters.",
    NoteCode.overlapping_spans: "Entities overlap, and a word has one tag: the longest of them was kept.",
    NoteCode.repeated_spans: "The same entity was marked twice; it was taken once.",
    NoteCode.trimmed_spans: "Spaces at the edge of an entity were taken off it.",
    NoteCode.divided_words: "An entity begins or ends inside of a word; the word was divided there.",
    NoteCode.skipped_annotations: "Annotations that were skipped or discarded were passed over for others.",
    NoteCode.several_annotators: "Several people annotated the same text and agree on {share:.0%} of their "
    "answers; the majority counts.",
    NoteCode.numbers_as_labels: "The labels are numbers, which stand for names that the file does not have.",
    NoteCode.numbers_as_tags: "The tags are numbers: 0 was read as no entity, the others as types.",
    NoteCode.repeated_labels: "A text has the same label twice; it was taken once.",
    NoteCode.tool_calls: "Calls of tools were kept as JSON in the assistant's words.",
    NoteCode.other_sheets: "The workbook has more sheets, which were not read.",
    NoteCode.several_files: "Several files were read, and their rows are numbered through: {files}.",
    NoteCode.files_written_otherwise: "The files are not written alike, and each was read as it is: {files}.",
}


@dataclass(frozen=True, slots=True)
class Note:
    """Something noticed: in how many rows, the numbers of the first of them, and the words for it.

    `count` is 1 and `rows` empty for what is true of the file as a whole.
    """

    code: NoteCode
    count: int
    rows: tuple[int, ...]
    sentence: str


@dataclass(slots=True)
class Notes:
    """Notes in the making."""

    _counts: dict[NoteCode, int] = field(default_factory=dict)
    _rows: dict[NoteCode, list[int]] = field(default_factory=dict)
    _shares: list[float] = field(default_factory=list)
    _words: dict[NoteCode, dict[str, str]] = field(default_factory=dict)

    def row(self, code: NoteCode, row: int) -> None:
        """Note something about a row, which counts once."""
        rows = self._rows.setdefault(code, [])
        if rows and rows[-1] == row:
            return
        self._counts[code] = self._counts.get(code, 0) + 1
        if len(rows) < _KEPT_ROWS:
            rows.append(row)

    def file(self, code: NoteCode, **words: str) -> None:
        """Note something about the file; `words` stand in its sentence."""
        self._counts[code] = 1
        self._words[code] = words

    def agreement(self, row: int, share: float) -> None:
        """Note that several people annotated a row, and the share of their answers that they agree on."""
        self.row(NoteCode.several_annotators, row)
        self._shares.append(share)

    def told(self) -> tuple[Note, ...]:
        """All of them, the most frequent first."""
        share = fmean(self._shares or [1.0])
        notes = [
            Note(code, count, tuple(self._rows.get(code, ())), self._sentence(code, share))
            for code, count in self._counts.items()
        ]
        return tuple(sorted(notes, key=lambda note: -note.count))

    def _sentence(self, code: NoteCode, share: float) -> str:
        return _SENTENCES[code].format(share=share, **self._words.get(code, {}))
