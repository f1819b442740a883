"""Examples as a base model sees them: cut into sub-words, and cut off where they are too long."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Encoding

from services.training.conversations import load_format
from services.training.examples import Message
from services.training.tokenizing import load_tokenizer

# How vocabularies mark a piece that goes on inside a word, and one that begins a word after a blank.
_INSIDE, _BLANK, _BREAK = "##", "Ġ", "Ċ"


@dataclass(frozen=True, slots=True)
class Piece:
    """A sub-word; `inside` of a word or at its beginning, and whether it is `marked`.

    Marked is what is learned: a word of an entity, or the assistant's.
    """

    text: str
    inside: bool = False
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """The sub-words of an example that a model reads, and how many more there are that it does not.

    Of a pair, `second` are those of its second text.
    """

    pieces: tuple[Piece, ...]
    cut: int
    second: tuple[Piece, ...] = ()


def texts(folder: Path, some: Sequence[str], *, max_length: int) -> list[Seen]:
    """Texts; special tokens count, and are not shown."""
    tokenizer = load_tokenizer(folder)
    room = max_length - tokenizer.num_special_tokens_to_add(is_pair=False)
    every = tokenizer.encode_batch(list(some), add_special_tokens=False)
    return [Seen(_pieces(one.tokens[:room]), max(0, len(one.tokens) - room)) for one in every]


def pairs(folder: Path, some: Sequence[tuple[str, str]], *, max_length: int) -> list[Seen]:
    """Pairs of texts, of which the longer one is cut first."""
    whole, fitting = load_tokenizer(folder), load_tokenizer(folder)
    fitting.enable_truncation(max_length, strategy="longest_first")
    found = []
    for first, second in some:
        read, every = fitting.encode(first, second), whole.encode(first, second)
        found.append(Seen(_part(read, 0), len(every.tokens) - len(read.tokens), _part(read, 1)))
    return found


def sentences(folder: Path, some: Sequence[tuple[Sequence[str], Sequence[str]]]) -> list[Seen]:
    """Words with their tags; those of entities are marked. Long sentences are read in several pieces."""
    tokenizer = load_tokenizer(folder)
    found = []
    for words, tags in some:
        read = tokenizer.encode(list(words), is_pretokenized=True, add_special_tokens=False)
        marked = [word is not None and tags[word] != "O" for word in read.word_ids]
        found.append(Seen(_pieces(read.tokens, marked), 0))
    return found


def conversations(folder: Path, some: Sequence[Sequence[Message]], *, max_length: int) -> list[Seen]:
    """Conversations in the base model's template; the words that are learned are marked.

    Raises:
        TemplateUnsuitable: the template and a conversation do not fit each other.
    """
    end = json.loads((folder / "config.json").read_text("utf-8"))["eos_token_id"]
    tokenizer, chat = load_tokenizer(folder), load_format(folder, end)
    found = []
    for messages in some:
        read = chat.encode(messages)
        tokens = [tokenizer.id_to_token(id_) or "" for id_ in read.ids[:max_length]]
        marked = [weight > 0 for weight in read.weights[:max_length]]
        found.append(Seen(_pieces(tokens, marked), max(0, len(read.ids) - max_length)))
    return found


def _part(read: Encoding, number: int) -> tuple[Piece, ...]:
    owners = zip(read.tokens, read.sequence_ids, strict=True)
    return _pieces([token for token, owner in owners if owner == number])


def _pieces(tokens: Sequence[str], marked: Sequence[bool] | None = None) -> tuple[Piece, ...]:
    blanks = any(token.startswith(_BLANK) for token in tokens)
    return tuple(
        Piece(_shown(token), _is_inside(token, at, blanks=blanks), bool(marked and marked[at]))
        for at, token in enumerate(tokens)
    )


def _is_inside(token: str, at: int, *, blanks: bool) -> bool:
    if blanks:
        return at > 0 and not token.startswith((_BLANK, _BREAK, "<"))
    return token.startswith(_INSIDE)


def _shown(token: str) -> str:
    return token.removeprefix(_INSIDE).replace(_BLANK, " ").replace(_BREAK, "⏎").strip() or "␣"
