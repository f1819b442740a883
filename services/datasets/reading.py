"""Read a whole file: every row becomes an example or is dropped with a reason."""

from collections import Counter
from dataclasses import dataclass

from services.datasets.dropped import DropCode, Dropped
from services.datasets.encodings import decode
from services.datasets.errors import TooManyRows
from services.datasets.examples import Example
from services.datasets.formats import Container, Format
from services.datasets.limits import MAX_ROWS
from services.datasets.readers import conll, delimited, jsonl

_READERS = {Container.delimited: delimited.read, Container.jsonl: jsonl.read, Container.conll: conll.read}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held, both parts in the file's order."""

    examples: tuple[Example, ...]
    dropped: tuple[Dropped, ...]

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
        TooManyRows: over the limit.
        UnknownColumn: the file's header lacks the text or the label column.
    """
    text = decode(content, form.encoding)
    examples: list[Example] = []
    dropped: list[Dropped] = []
    for item in _READERS[form.container](text, form):
        if isinstance(item, Dropped):
            dropped.append(item)
        else:
            examples.append(item)
        if len(examples) + len(dropped) > MAX_ROWS:
            raise TooManyRows
    return Reading(tuple(examples), tuple(dropped))
