"""What a row is for, and the words for it in files."""

from enum import StrEnum


class Split(StrEnum):
    """What an example is for."""

    train = "train"
    validation = "validation"
    test = "test"


_WORDS = {
    Split.train: ("train", "training"),
    Split.validation: ("validation", "valid", "val", "dev", "development"),
    Split.test: ("test", "testing"),
}
_NAMED = {word: split for split, words in _WORDS.items() for word in words}


def split_named(word: str) -> Split | None:
    """The split that a word in a file means, if it means one."""
    return _NAMED.get(word.strip().casefold())
