"""What a data set is made of: labelled examples, and their one canonical spelling.

A version keeps its splits as `train.jsonl`, `validation.jsonl` and `test.jsonl`: UTF-8, one example on a line
as `to_line` writes it, a JSON object with sorted keys. All examples of a version are of one kind, which goes
with its task (`services.training.recipe.Task`):

    text_classification   {"label": "praise", "row": 2, "text": "well done"}
    multi_label           {"labels": ["joy", "pride"], "row": 2, "text": "well done"}, sorted, maybe none
    token_classification  {"row": 1, "tags": ["O", "B-place"], "tokens": ["In", "Oslo"]}, tags in IOB2
    pair_classification   {"first": "A dog.", "label": "entailment", "row": 2, "second": "An animal."}
    regression            {"first": "A dog.", "row": 2, "score": 0.8, "second": "An animal."}, or second ""
    chat                  {"messages": [{"content": "Hi", "role": "user"}, ...], "row": 1}, an assistant's
                          message may have a "weight" from 0 to 1: how much is learned from it
    unlabelled            {"row": 2, "text": "well done"}

Each kind has `row`, its number in the file; `text`, what a person reads of it; and `labels`, what is counted
and balanced: empty where there is nothing to count.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from json.encoder import encode_basestring as quoted
from typing import Any


@dataclass(frozen=True, slots=True)
class TextExample:
    """A text with its label; `row` is the record's number in the file, where the header is the first."""

    row: int
    text: str
    label: str

    @property
    def labels(self) -> tuple[str, ...]:
        """What there is to learn in this example."""
        return (self.label,)

    @property
    def characters(self) -> int:
        """The length of what a model reads."""
        return len(self.text)


@dataclass(frozen=True, slots=True)
class MultiLabelExample:
    """A text with its labels, each once and in the order of the alphabet; none is an answer too."""

    row: int
    text: str
    labels: tuple[str, ...]

    @property
    def characters(self) -> int:
        """The length of what a model reads."""
        return len(self.text)


@dataclass(frozen=True, slots=True)
class TokenExample:
    """A sentence with an IOB2 tag for every token; `row` is the sentence's number in the file, from 1."""

    row: int
    tokens: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def text(self) -> str:
        """The tokens with a space between them."""
        return " ".join(self.tokens)

    @property
    def labels(self) -> tuple[str, ...]:
        """The type of each entity in this sentence, in order; empty where there is none."""
        return tuple(tag[2:] for tag in self.tags if tag.startswith("B-"))

    @property
    def characters(self) -> int:
        """The length of what a model reads."""
        return len(self.text)


@dataclass(frozen=True, slots=True)
class PairExample:
    """Two texts with the label of how they relate."""

    row: int
    first: str
    second: str
    label: str

    @property
    def text(self) -> str:
        """Both texts, one under the other."""
        return f"{self.first}\n{self.second}"

    @property
    def labels(self) -> tuple[str, ...]:
        """What there is to learn in this example."""
        return (self.label,)

    @property
    def characters(self) -> int:
        """The length of what a model reads."""
        return len(self.first) + len(self.second)


@dataclass(frozen=True, slots=True)
class ScoreExample:
    """A text, or two, with a finite number to predict; `second` is empty where there is one text."""

    row: int
    first: str
    second: str
    score: float

    @property
    def text(self) -> str:
        """The text, or both, one under the other."""
        return f"{self.first}\n{self.second}" if self.second else self.first

    @property
    def labels(self) -> tuple[str, ...]:
        """None: a number is no label."""
        return ()

    @property
    def characters(self) -> int:
        """The length of what a model reads."""
        return len(self.first) + len(self.second)


class ChatRole(StrEnum):
    """Who speaks in a conversation."""

    system = "system"
    user = "user"
    assistant = "assistant"
    tool = "tool"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; `weight` is how much an assistant's turn is learned from, 0 not at all."""

    role: ChatRole
    content: str
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class ChatExample:
    """A conversation in which the assistant speaks at least once."""

    row: int
    messages: tuple[Message, ...]

    @property
    def text(self) -> str:
        """The conversation as people would note it down."""
        return "\n".join(f"{message.role}: {message.content}" for message in self.messages)

    @property
    def labels(self) -> tuple[str, ...]:
        """None: what is learned are the assistant's words."""
        return ()

    @property
    def characters(self) -> int:
        """The length of what a model reads."""
        return sum(len(message.content) for message in self.messages)


@dataclass(frozen=True, slots=True)
class PlainExample:
    """A text of which nothing is said."""

    row: int
    text: str

    @property
    def labels(self) -> tuple[str, ...]:
        """None: there is nothing to predict."""
        return ()

    @property
    def characters(self) -> int:
        """The length of what a model reads."""
        return len(self.text)


Example = (
    TextExample | MultiLabelExample | TokenExample | PairExample | ScoreExample | ChatExample | PlainExample
)

_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def to_line(example: Example) -> str:
    """The example as canonical JSON: sorted keys, no spaces, no escapes beyond need, no line break."""
    match example:
        # By far the most frequent, and by hand four times as fast.
        case TextExample(row, text, label):
            return f'{{"label":{quoted(label)},"row":{row},"text":{quoted(text)}}}'
        case ChatExample(row, messages):
            return _canonical({"messages": [_spoken(message) for message in messages], "row": row})
    return _canonical({name: getattr(example, name) for name in example.__slots__})


def from_line(line: str) -> Example:
    """The example that `to_line` wrote."""
    match fields := json.loads(line):
        case {"label": label, "row": row, "text": text}:
            return TextExample(row, text, label)
        case {"labels": labels, "row": row, "text": text}:
            return MultiLabelExample(row, text, tuple(labels))
        case {"tokens": tokens, "tags": tags, "row": row}:
            return TokenExample(row, tuple(tokens), tuple(tags))
        case {"score": _}:
            return ScoreExample(**fields)
        case {"messages": messages, "row": row}:
            return ChatExample(row, tuple(_heard(message) for message in messages))
        case {"text": text, "row": row}:
            return PlainExample(row, text)
    return PairExample(**fields)


def content_hash(examples: Iterable[Example]) -> str:
    """The sha256 (hexadecimal) over the canonical lines, whatever split they land in."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(to_line(example).encode() + b"\n")
    return digest.hexdigest()


def _spoken(message: Message) -> dict[str, str | float]:
    weight = {} if message.weight is None else {"weight": message.weight}
    return {"content": message.content, "role": message.role.value, **weight}


def _heard(fields: dict[str, Any]) -> Message:
    return Message(**{**fields, "role": ChatRole(fields["role"])})
