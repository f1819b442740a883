"""Data sets of our own making, to start with; the files lie in the folder of the same name."""

from dataclasses import dataclass
from pathlib import Path

from services.training.recipe import Task

_FOLDER = Path(__file__).with_name("samples")


@dataclass(frozen=True)
class Sample:
    """A file that ships with the product, what it is for, and what is in it."""

    filename: str
    name: str
    task: Task
    description: str

    def read(self) -> bytes:
        """The file."""
        return (_FOLDER / self.filename).read_bytes()


SUPPORT_MESSAGES = Sample(
    filename="support-messages.csv",
    name="Support messages",
    task=Task.text_classification,
    description="What 391 customers of an online shop wrote, and which of eight matters each is about. "
    "Four more rows are flawed on purpose.",
)
PLACE_NAMES = Sample(
    filename="place-names.conll",
    name="Place names",
    task=Task.token_classification,
    description="Sixty-one sentences with their persons, organisations and locations.",
)
GARDEN_ADVICE = Sample(
    filename="garden-advice.jsonl",
    name="Garden advice",
    task=Task.chat,
    description="A hundred and ten short conversations with a gardener, who answers in a sentence and names "
    "the next step.",
)
GUEST_REVIEWS = Sample(
    filename="guest-reviews.csv",
    name="Guest reviews",
    task=Task.multi_label,
    description="What 360 guests wrote about their stay, and which of six things each is about: several, "
    "one or none.",
)
BOOKS_FOR_READERS = Sample(
    filename="books-for-readers.csv",
    name="Books for readers",
    task=Task.pair_classification,
    description="What seventy readers liked, with six more books each and whether they liked them too: "
    "learn what to recommend.",
)
SAMPLES = (SUPPORT_MESSAGES, GUEST_REVIEWS, PLACE_NAMES, BOOKS_FOR_READERS, GARDEN_ADVICE)
