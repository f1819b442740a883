"""The tokens of examples, as a base model's tokenizer makes them of its rows: what a quote is made from."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from services.datasets.examples import ChatExample, Example, PairExample, ScoreExample, TokenExample
from services.datasets.split import Split
from services.training.conversations import TemplateUnsuitable, load_format
from services.training.examples import Message
from services.training.quoting.lengths import Amount, lengths_of
from services.training.tokenizing import load_tokenizer

# About a second's work: of more, one row is counted for several.
_MOST_CHARACTERS = 1_500_000

# Rows, of one kind, to how long they are.
Measure = Callable[[Sequence[Any]], Amount]


def count(examples: Mapping[Split, Sequence[Example]], base_model: Path) -> dict[Split, Amount]:
    """Split -> how long its rows are to a base model, whose folder holds tokenizer and chat template."""
    every = list(chain.from_iterable(examples.values()))
    if not every:
        return {}
    step = -(-sum(example.characters for example in every) // _MOST_CHARACTERS) or 1
    measure = _chats(base_model) if isinstance(every[0], ChatExample) else _texts(base_model, every[0])
    return {
        split: measure(rows[::step]).times(len(rows) / len(rows[::step])) if rows else Amount()
        for split, rows in examples.items()
    }


def _texts(base_model: Path, example: Example) -> Measure:
    """For rows of the kind of one."""
    tokenizer = load_tokenizer(base_model)

    def read(rows: Sequence[Any], *, words: bool = False) -> Iterator[int]:
        return map(len, tokenizer.encode_batch_fast(rows, is_pretokenized=words))

    match example:
        case TokenExample():
            return lambda rows: Amount(rows=lengths_of(read([row.tokens for row in rows], words=True)))
        case PairExample() | ScoreExample() if example.second:
            return lambda rows: Amount(
                rows=lengths_of(read([(row.first, row.second) for row in rows])),
                texts=lengths_of(
                    read(list(dict.fromkeys(text for row in rows for text in (row.first, row.second))))
                ),
            )
    return lambda rows: Amount(rows=lengths_of(read([row.text for row in rows])))


def _chats(base_model: Path) -> Measure:
    form = load_format(base_model, json.loads((base_model / "config.json").read_bytes())["eos_token_id"])

    def read(rows: Sequence[ChatExample]) -> Iterator[int]:
        for row in rows:
            messages = [Message(said.role, said.content, said.weight) for said in row.messages]
            # What the template refuses a run will name.
            with suppress(TemplateUnsuitable):
                yield len(form.encode(messages).ids)

    return lambda rows: Amount(rows=lengths_of(read(rows)))
