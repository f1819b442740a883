"""A file, looked at from end to end: how it is read, whether it can be used, and all that was found."""

from dataclasses import dataclass

from services.datasets.detection import Guess, guess
from services.datasets.findings.examine import Diagnosis, examine
from services.datasets.preview import DEFAULT_SEED
from services.datasets.reading import Reading, read
from services.datasets.splits import Splits, split
from services.datasets.usable import require_usable
from services.errors import ServiceError


@dataclass(frozen=True, slots=True)
class Examined:
    """What we took the file for, and what is to be said of it."""

    guess: Guess
    diagnosis: Diagnosis


def examine_file(content: bytes) -> Examined:
    """Read a file as it would be for a new data set, and examine it.

    Raises:
        ServiceError: it cannot be read at all, as `guess` and `read` say.
    """
    guessed = guess(content)
    reading = read(content, guessed.form)
    splits, problem = _splits(reading)
    diagnosis = examine(
        reading.examples, reading.dropped, notes=reading.notes, splits=splits, problem=problem
    )
    return Examined(guessed, diagnosis)


def _splits(reading: Reading) -> tuple[Splits | None, ServiceError | None]:
    try:
        require_usable(reading)
        return split(reading.examples, seed=DEFAULT_SEED), None
    except ServiceError as problem:
        return None, problem
