"""The labelled rows of a run folder, in the canonical JSON lines."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from json import dumps, loads
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TextExample:
    """A text and its label; `row` is the 1-based record number in the customer's file."""

    row: int
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class TokenExample:
    """A sentence's words and their IOB2 tags, as many of one as of the other."""

    row: int
    tokens: list[str]
    tags: list[str]


Example = TextExample | TokenExample
SPLITS = ("train", "validation", "test")


def read_texts(path: Path) -> list[TextExample]:
    """The rows of a text classification split."""
    return [TextExample(**loads(line)) for line in path.read_text("utf-8").split("\n") if line]


def read_sentences(path: Path) -> list[TokenExample]:
    """The sentences of a token classification split."""
    return [TokenExample(**loads(line)) for line in path.read_text("utf-8").split("\n") if line]


def write(path: Path, examples: Iterable[Example]) -> None:
    """Write a split, one example per line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(dumps(asdict(example), ensure_ascii=False) + "\n" for example in examples)


def characters(examples: Sequence[Example]) -> int:
    """Characters of all texts, as a quote counts them."""
    return sum(
        len(example.text)
        if isinstance(example, TextExample)
        else sum(len(token) + 1 for token in example.tokens)
        for example in examples
    )
