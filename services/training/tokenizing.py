"""Text into sub-word ids, alike in training and in prediction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

TOKENIZER = "tokenizer.json"


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
    """A stretch of a sentence that fits the model; `ids[firsts[i]]` begins its word number `words[i]`."""

    sentence: int
    ids: list[int]
    firsts: list[int]
    words: list[int]


def encode_words(tokenizer: Tokenizer, sentences: Sequence[Sequence[str]], max_length: int) -> list[Piece]:
    """The pieces of all sentences, in their order.

    A sentence that is too long is read in several pieces, cut between words, so that no word goes unread;
    only a word longer than a piece loses its end. A word without sub-words (a control character) is in none.
    """
    pieces: list[Piece] = []
    encodings = tokenizer.encode_batch([list(sentence) for sentence in sentences], is_pretokenized=True)
    for number, encoding in enumerate(encodings):
        ids, owners = encoding.ids, encoding.word_ids
        inside = [position for position, owner in enumerate(owners) if owner is not None]
        if not inside:
            continue
        before, after = ids[: inside[0]], ids[inside[-1] + 1 :]
        room = max_length - len(before) - len(after)
        body: list[int] = []
        firsts: list[int] = []
        words: list[int] = []
        for word, subwords in _by_word(ids, owners):
            if len(body) + min(len(subwords), room) > room:
                pieces.append(Piece(number, before + body + after, firsts, words))
                body, firsts, words = [], [], []
            firsts.append(len(before) + len(body))
            words.append(word)
            body = body + subwords[:room]
        pieces.append(Piece(number, before + body + after, firsts, words))
    return pieces


def _by_word(ids: list[int], owners: list[int | None]) -> list[tuple[int, list[int]]]:
    words: dict[int, list[int]] = {}
    for subword, owner in zip(ids, owners, strict=True):
        if owner is not None:
            words.setdefault(owner, []).append(subword)
    return list(words.items())
