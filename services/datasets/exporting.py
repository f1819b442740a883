"""A version's examples as files that other programs read: canonical JSONL, CSV, CoNLL."""

import csv
import io
import json
from collections.abc import Iterable

from services.datasets.cells import inert
from services.datasets.examples import (
    ChatExample,
    Example,
    MultiLabelExample,
    PairExample,
    PlainExample,
    ScoreExample,
    TextExample,
    TokenExample,
    to_line,
)
from services.datasets.split import Split
from services.datasets.splits import Splits

Cell = str | int | float

_COLUMNS: dict[type[Example], tuple[str, ...]] = {
    TextExample: ("text", "label"),
    MultiLabelExample: ("text", "labels"),
    TokenExample: ("tokens", "tags"),
    PairExample: ("first", "second", "label"),
    ScoreExample: ("first", "second", "score"),
    ChatExample: ("messages",),
    PlainExample: ("text",),
}
_BREAKS = str.maketrans("\t\r\n", "   ")


def to_jsonl(examples: Iterable[Example]) -> bytes:
    """One canonical line for each example, as the splits of a version are kept."""
    return "".join(f"{to_line(example)}\n" for example in examples).encode()


def to_csv(splits: Splits) -> bytes:
    """A row for each example with its number and split in front; no cell is a formula.

    UTF-8 with a byte order mark, by which Excel knows it. Lists (labels, tokens, tags, messages) are JSON.
    """
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    every = [(example, which) for which in Split for example in splits.of(which)]
    every.sort(key=lambda item: item[0].row)
    kind = type(every[0][0]) if every else TextExample
    writer.writerow(("row", "split", *_COLUMNS[kind]))
    for example, which in every:
        writer.writerow((example.row, which.value, *_cells(example)))
    return target.getvalue().encode("utf-8-sig")


def to_conll(examples: Iterable[TokenExample]) -> bytes:
    """A token, a tab and its tag on each line, an empty line after each sentence.

    No spreadsheet opens it, so tokens stay as they are, but for breaks inside of them.
    """
    sentences = (
        "".join(f"{token.translate(_BREAKS)}\t{tag}\n" for token, tag in zip(e.tokens, e.tags, strict=True))
        for e in examples
    )
    return "".join(f"{sentence}\n" for sentence in sentences).encode()


def _cells(example: Example) -> tuple[Cell, ...]:
    match example:
        case TextExample(_, text, label):
            return inert(text), inert(label)
        case MultiLabelExample(_, text, labels):
            return inert(text), _json(labels)
        case TokenExample(_, tokens, tags):
            return _json(tokens), _json(tags)
        case PairExample(_, first, second, label):
            return inert(first), inert(second), inert(label)
        case ScoreExample(_, first, second, score):
            return inert(first), inert(second), score
        case PlainExample(_, text):
            return (inert(text),)
        case ChatExample():
            return (_json(json.loads(to_line(example))["messages"]),)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
