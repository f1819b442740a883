"""A file, looked at from end to end: how it is read, whether it can be used, and all that was found."""

from dataclasses import dataclass

from services.datasets.detection import Guess, guess
from services.datasets.findings.examine import Diagnosis, examine
from services.datasets.near import Positions, clusters
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
    # What takes longest is done once for both.
    near = clusters([example.text for example in reading.examples])
    splits, problem = _splits(reading, near)
    diagnosis = examine(
        reading.examples, reading.dropped, notes=reading.notes, splits=splits, problem=problem, near=near
    )
    return Examined(guessed, diagnosis)


def _splits(reading: Reading, near: Positions) -> tuple[Splits | None, ServiceError | None]:
    try:
        require_usable(reading)
        return split(reading.examples, seed=DEFAULT_SEED, near=near), None
    except ServiceError as problem:
        return None, problem
