"""A file, looked at from end to end: how it is read, whether it can be used, and all that was found."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter
from typing_extensions import Unpack

from services.datasets.detection import Guess, Known, guess
from services.datasets.findings.examine import Diagnosis, examine
from services.datasets.preview import DEFAULT_SEED, preview_and_splits
from services.datasets.reading import read
from services.datasets.sandbox import Content, apart


@dataclass(frozen=True, slots=True)
class Examined:
    """What we took the file for, and what is to be said of it."""

    guess: Guess
    diagnosis: Diagnosis


EXAMINED = TypeAdapter(Examined)
# Of a million rows the numbers alone are more than an answer may hold.
_TOLD = "examined.json"


def examine_file(content: Content, **known: Unpack[Known]) -> Examined:
    """Read a file as it would be for a new data set, and examine it; what is known is not guessed.

    Raises:
        ServiceError: it cannot be read at all, as `guess`, `read` and `sandbox.apart` say.
    """
    with apart("check", content, known=known) as (_, folder):
        return EXAMINED.validate_json((folder / _TOLD).read_bytes())


def examine_into(folder: Path, content: bytes, known: Known) -> None:
    """The same in this process, told to a file in the folder."""
    (folder / _TOLD).write_bytes(EXAMINED.dump_json(_examined(content, known)))


def _examined(content: bytes, known: Known) -> Examined:
    guessed = guess(content, **known)
    reading = read(content, guessed.form)
    seen, splits = preview_and_splits(reading, seed=DEFAULT_SEED)
    diagnosis = examine(
        reading.examples, reading.dropped, notes=reading.notes, splits=splits, problem=seen.problem
    )
    return Examined(guessed, diagnosis)
