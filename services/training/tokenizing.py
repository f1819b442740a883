"""Text into sub-word ids, alike in training and in prediction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

from tokenizers import Tokenizer

from services.training import shapes

TOKENIZER = "tokenizer.json"
T = TypeVar("T")


def load_tokenizer(folder: Path, *, cut_to: int | None = None) -> Tokenizer:
    """The tokenizer of a base model or artefact; it never pads, and cuts a row only to `cut_to` tokens."""
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    if cut_to is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(cut_to)
    return tokenizer


def tell_marks(folder: Path, end: int) -> None:
    """Write beside a tokenizer which token ends a turn, so that transformers loads it from this folder."""
    mark = load_tokenizer(folder).id_to_token(end)
    told = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": mark, "pad_token": mark}
    (folder / "tokenizer_config.json").write_text(json.dumps(told, indent=1), "utf-8")


def encode_texts(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[list[list[int]], int]:
    """The ids of each text, special tokens included, and how many texts were cut."""
    encodings = tokenizer.encode_batch(list(texts))
    return [encoding.ids for encoding in encodings], sum(bool(encoding.overflowing) for encoding in encodings)


@dataclass(frozen=True, slots=True)
class Joined:
    """Pairs of texts, each in one row of sub-words; `types` are 0 in the first text and 1 in the second."""

    ids: list[list[int]]
    types: list[list[int]]
    # Pairs that were cut.
    cut: int


def encode_pairs(tokenizer: Tokenizer, firsts: Sequence[str], seconds: Sequence[str]) -> Joined:
    """The ids of each pair, special tokens included; where a pair is too long, its longer text is cut."""
    encodings = tokenizer.encode_batch(list(zip(firsts, seconds, strict=True)))
    return Joined(
        ids=[encoding.ids for encoding in encodings],
        types=[encoding.type_ids for encoding in encodings],
        cut=sum(bool(encoding.overflowing) for encoding in encodings),
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sentence that fits the model: `ids[firsts[i] : ends[i]]` is the word `words[i]`."""

    sentence: int
    ids: list[int]
    firsts: list[int]
    ends: list[int]
    words: list[int]
    # Of each word the buckets of its shape (services/training/shapes.py).
    shapes: list[list[int]]

    def spread(self, values: Sequence[T], otherwise: T) -> list[T]:
        """For each sub-word its word's value, and another one for marks."""
        found = [otherwise] * len(self.ids)
        for first, end, value in zip(self.firsts, self.ends, values, strict=True):
            found[first:end] = [value] * (end - first)
        return found


def encode_words(tokenizer: Tokenizer, sentences: Sequence[Sequence[str]], max_length: int) -> list[Piece]:
    """The pieces of all sentences, in their order.

    A sentence that is too long is read in several pieces, cut between words, so that no word goes unread;
    only a word longer than a piece loses its end. A word without sub-words (a control character) is in none.
    """
    pieces: list[Piece] = []
    encodings = tokenizer.encode_batch([list(sentence) for sentence in sentences], is_pretokenized=True)
    for number, (encoding, sentence) in enumerate(zip(encodings, sentences, strict=True)):
        ids, owners = encoding.ids, encoding.word_ids
        inside = [position for position, owner in enumerate(owners) if owner is not None]
        if not inside:
            continue
        buckets = shapes.of_words(sentence)
        before, after = ids[: inside[0]], ids[inside[-1] + 1 :]
        room = max_length - len(before) - len(after)
        parts: list[list[tuple[int, list[int]]]] = [[]]
        filled = 0
        for word, subwords in _by_word(ids, owners):
            kept = subwords[:room]
            if filled + len(kept) > room:
                parts.append([])
                filled = 0
            parts[-1].append((word, kept))
            filled += len(kept)
        pieces += [_piece(number, before, part, after, buckets) for part in parts]
    return pieces


def _piece(
    sentence: int,
    before: list[int],
    words: list[tuple[int, list[int]]],
    after: list[int],
    buckets: list[list[int]],
) -> Piece:
    """words: each with its number and sub-words; buckets: of each word of the sentence."""
    ends = [len(before) + end for end in accumulate(len(subwords) for _, subwords in words)]
    return Piece(
        sentence=sentence,
        ids=[*before, *(one for _, subwords in words for one in subwords), *after],
        firsts=[len(before), *ends[:-1]],
        ends=ends,
        words=[word for word, _ in words],
        shapes=[buckets[word] for word, _ in words],
    )


def _by_word(ids: list[int], owners: list[int | None]) -> list[tuple[int, list[int]]]:
    words: dict[int, list[int]] = {}
    for subword, owner in zip(ids, owners, strict=True):
        if owner is not None:
            words.setdefault(owner, []).append(subword)
    return list(words.items())
