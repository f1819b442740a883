"""Examples of every kind with other texts or other labels, all else as it was."""

from collections.abc import Callable
from dataclasses import replace

from services.datasets.examples import (
    ChatExample,
    Example,
    MultiLabelExample,
    PairExample,
    ScoreExample,
    TextExample,
    TokenExample,
)

Rewriting = Callable[[str], str]


def with_texts(example: Example, rewrite: Rewriting) -> Example:
    """The example with each of its texts rewritten; what would vanish stays as it is."""

    def rewritten(text: str) -> str:
        return rewrite(text) or text

    match example:
        case TextExample() | MultiLabelExample():
            text = rewritten(example.text)
            return example if text == example.text else replace(example, text=text)
        case PairExample() | ScoreExample():
            return replace(example, first=rewritten(example.first), second=rewritten(example.second))
        case TokenExample():
            return replace(example, tokens=tuple(map(rewritten, example.tokens)))
        case ChatExample():
            turns = (replace(turn, content=rewritten(turn.content)) for turn in example.messages)
            return replace(example, messages=tuple(turns))


def with_labels(example: Example, rename: Rewriting) -> Example:
    """The example with each of its labels renamed; of an entity, its type."""
    match example:
        case TextExample() | PairExample():
            label = rename(example.label)
            return example if label == example.label else replace(example, label=label)
        case MultiLabelExample():
            return replace(example, labels=tuple(sorted(set(map(rename, example.labels)))))
        case TokenExample():
            tags = (f"{tag[:2]}{rename(tag[2:])}" if tag[1:2] == "-" else tag for tag in example.tags)
            return replace(example, tags=tuple(tags))
    return example
