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


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; `weight` is how much an assistant's turn is learned, 0 not at all."""

    role: str
    content: str
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class ChatExample:
    """A conversation in which the assistant speaks at least once."""

    row: int
    messages: list[Message]


@dataclass(frozen=True, slots=True)
class MultiLabelExample:
    """A text and its labels, in the order of the alphabet; it may have none."""

    row: int
    text: str
    labels: list[str]


@dataclass(frozen=True, slots=True)
class PairExample:
    """Two texts and the label of how they relate."""

    row: int
    first: str
    second: str
    label: str


@dataclass(frozen=True, slots=True)
class ScoreExample:
    """A text, or two, and a number; `second` is empty where there is one text."""

    row: int
    first: str
    second: str
    score: float


Example = TextExample | MultiLabelExample | TokenExample | PairExample | ScoreExample | ChatExample
SPLITS = ("train", "validation", "test")


def read_texts(path: Path) -> list[TextExample]:
    """The rows of a text classification split."""
    return [TextExample(**loads(line)) for line in path.read_text("utf-8").split("\n") if line]


def read_sentences(path: Path) -> list[TokenExample]:
    """The sentences of a token classification split."""
    return [TokenExample(**loads(line)) for line in path.read_text("utf-8").split("\n") if line]


def read_conversations(path: Path) -> list[ChatExample]:
    """The conversations of a chat split."""
    rows = [loads(line) for line in path.read_text("utf-8").split("\n") if line]
    return [ChatExample(row["row"], [Message(**said) for said in row["messages"]]) for row in rows]


def read_labelled(path: Path) -> list[MultiLabelExample]:
    """The rows of a split with several labels for each text."""
    return [MultiLabelExample(**loads(line)) for line in path.read_text("utf-8").split("\n") if line]


def read_pairs(path: Path) -> list[PairExample]:
    """The rows of a split of pairs."""
    return [PairExample(**loads(line)) for line in path.read_text("utf-8").split("\n") if line]


def read_scored(path: Path) -> list[ScoreExample]:
    """The rows of a regression split."""
    return [ScoreExample(**loads(line)) for line in path.read_text("utf-8").split("\n") if line]


def write(path: Path, examples: Iterable[Example]) -> None:
    """Write a split, one example per line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(dumps(asdict(example), ensure_ascii=False) + "\n" for example in examples)


def characters(examples: Sequence[Example]) -> int:
    """Characters of all texts, as a quote counts them."""
    return sum(map(_characters, examples))


def _characters(example: Example) -> int:
    match example:
        case TokenExample():
            return sum(len(token) + 1 for token in example.tokens)
        case ChatExample():
            return sum(len(message.content) for message in example.messages)
        case PairExample() | ScoreExample():
            return len(example.first) + len(example.second)
    return len(example.text)
