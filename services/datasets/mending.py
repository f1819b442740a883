"""What a file holds once its fixes are done; a row that a fix left out is dropped like any other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.datasets.dropped import DropCode, drop
from services.datasets.fixes import Change, Fix, apply
from services.datasets.reading import Reading


@dataclass(frozen=True, slots=True)
class Mended:
    """A reading after its fixes, and what each of them did; rows in are those of the file, as before."""

    reading: Reading
    changes: tuple[Change, ...]


def mend(reading: Reading, fixes: Sequence[Fix]) -> Mended:
    """Do the fixes, one after the other.

    Raises:
        EditUnfit: an edit does not suit its row.
    """
    if not fixes:
        return Mended(reading, ())
    fixed = apply(reading.examples, fixes, given=reading.given)
    left = {example.row for example in fixed.examples}
    gone = [
        drop(example.row, DropCode.left_out_by_fix, example.text, *example.labels)
        for example in reading.examples
        if example.row not in left
    ]
    dropped = sorted([*reading.dropped, *gone], key=lambda item: item.row)
    after = replace(reading, examples=fixed.examples, dropped=tuple(dropped), given=fixed.given)
    return Mended(after, fixed.changes)
