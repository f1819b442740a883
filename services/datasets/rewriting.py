"""Examples of every kind with other texts or other labels, all else as it was."""

from collections.abc import Callable
from dataclasses import replace
from math import isfinite

from services.datasets.encodings import is_readable
from services.datasets.examples import (
    ChatExample,
    Example,
    MultiLabelExample,
    PairExample,
    PlainExample,
    ScoreExample,
    TextExample,
    TokenExample,
)
from services.datasets.findings.catalogue import Code
from services.datasets.findings.personal import PLACEHOLDERS, found, redacted
from services.datasets.limits import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS
from services.datasets.readers.tags import is_tag, to_iob2
from services.errors import Invalid

Rewriting = Callable[[str], str]


class EditUnfit(Invalid):
    """What was written into a row does not suit it."""

    code = "edit_unfit"

    def __init__(self, row: int) -> None:
        super().__init__(
            f"Row {row:,} cannot be changed so. A text must have words and not too many, a text or pair has "
            "one label, a score is a number, and a sentence has a tag for each of its tokens."
        )
        self.row = row


def with_texts(example: Example, rewrite: Rewriting) -> Example:
    """The example with each of its texts rewritten; what would vanish stays as it is."""

    def rewritten(text: str) -> str:
        return rewrite(text) or text

    match example:
        case TextExample() | MultiLabelExample() | PlainExample():
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


def with_redactions(example: Example, kinds: frozenset[Code]) -> Example:
    """The example with a word for each piece of personal data; of tokens, for each that has a part."""
    if not isinstance(example, TokenExample):
        return with_texts(example, lambda text: redacted(text, kinds))
    spots = [(start, end, code) for code, start, end in found(example.text) if code in kinds]
    tokens, start = [], 0
    for token in example.tokens:
        end = start + len(token)
        code = next((code for first, last, code in spots if first < end and last > start), None)
        tokens.append(PLACEHOLDERS[code] if code else token)
        start = end + 1
    return replace(example, tokens=tuple(tokens))


def edited(example: Example, text: str | None, labels: tuple[str, ...] | None) -> Example:
    """The example with another text or other labels, of tokens with other tags; what is None stays.

    Raises:
        EditUnfit: they do not suit it.
    """
    if not (
        _fits(text, MAX_TEXT_CHARACTERS) and all(_fits(label, MAX_LABEL_CHARACTERS) for label in labels or ())
    ):
        raise EditUnfit(example.row)
    match example:
        case TextExample(row, old, label) if labels is None or len(labels) == 1:
            return TextExample(row, text or old, labels[0] if labels else label)
        case MultiLabelExample(row, old, before):
            return MultiLabelExample(
                row, text or old, before if labels is None else tuple(sorted(set(labels)))
            )
        case PlainExample(row, old) if labels is None:
            return PlainExample(row, text or old)
        case PairExample() if text is None and labels and len(labels) == 1:
            return replace(example, label=labels[0])
        case ScoreExample() if text is None and labels and len(labels) == 1 and _is_number(labels[0]):
            return replace(example, score=float(labels[0]))
        case TokenExample() if text is None and labels and _are_tags_of(example, labels):
            return replace(example, tags=to_iob2(labels))
    raise EditUnfit(example.row)


def _fits(words: str | None, most: int) -> bool:
    return words is None or (bool(words.strip()) and len(words) <= most and is_readable(words))


def _is_number(score: str) -> bool:
    try:
        return isfinite(float(score))
    except ValueError:
        return False


def _are_tags_of(example: TokenExample, tags: tuple[str, ...]) -> bool:
    return len(tags) == len(example.tokens) and all(map(is_tag, tags))
