"""A file, looked at from end to end: how it is read, whether it can be used, and all that was found."""

from dataclasses import dataclass

from services.datasets.detection import Guess, guess
from services.datasets.findings.examine import Diagnosis, examine
from services.datasets.preview import DEFAULT_SEED, preview_and_splits
from services.datasets.reading import read


@dataclass(frozen=True, slots=True)
class Examined:
    """What we took the file for, and what is to be said of it."""

    guess: Guess
    diagnosis: Diagnosis


def examine_file(content: bytes) -> Examined:
    """Read a file as it would be for a new data set, and examine it; in this process, so not for strangers'.

    Raises:
        ServiceError: it cannot be read at all, as `guess` and `read` say.
    """
    guessed = guess(content)
    reading = read(content, guessed.form)
    seen, splits = preview_and_splits(reading, seed=DEFAULT_SEED)
    diagnosis = examine(
        reading.examples, reading.dropped, notes=reading.notes, splits=splits, problem=seen.problem
    )
    return Examined(guessed, diagnosis)
