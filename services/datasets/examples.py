"""What a data set is made of: labelled examples, and their one canonical spelling."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass


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


Example = TextExample | TokenExample


def to_line(example: Example) -> str:
    """The example as canonical JSON: sorted keys, no spaces, no escapes beyond need, no line break."""
    fields = {name: getattr(example, name) for name in example.__slots__}
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_line(line: str) -> Example:
    """The example that `to_line` wrote."""
    fields = json.loads(line)
    if "text" in fields:
        return TextExample(**fields)
    return TokenExample(fields["row"], tuple(fields["tokens"]), tuple(fields["tags"]))


def content_hash(examples: Iterable[Example]) -> str:
    """The sha256 (hexadecimal) over the canonical lines, whatever split they land in."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(to_line(example).encode() + b"\n")
    return digest.hexdigest()
