"""Texts too short to tell anything, and texts longer than a model reads."""

import re
from collections.abc import Iterator

from services.datasets.examples import ChatExample, TokenExample
from services.datasets.findings.catalogue import Code
from services.datasets.findings.corpus import Corpus
from services.datasets.findings.finding import Finding

# What the presets read of a text, and the shortest context of today's small chat models.
TEXT_TOKENS, CHAT_TOKENS = 256, 2_048
# That a text needs; where each character is a word, one will do.
_FEWEST_CHARACTERS = 3
# A usual figure for sub-word vocabularies and European text; the tokenizer is at hand in training alone.
CHARACTERS_PER_TOKEN = 4
_WORDS_OF_ONE_CHARACTER = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff]"
)


def check(corpus: Corpus, *, max_tokens: int | None = None) -> Iterator[Finding]:
    """Too short and too long texts, where a model reads up to `max_tokens` of each."""
    chat = bool(corpus.examples) and isinstance(corpus.examples[0], ChatExample)
    max_tokens = max_tokens or (CHAT_TOKENS if chat else TEXT_TOKENS)
    short = [
        at
        for at, text in enumerate(corpus.texts)
        if len(text) < _FEWEST_CHARACTERS and not _WORDS_OF_ONE_CHARACTER.search(text)
    ]
    yield from corpus.finding(Code.short_text, short)

    long, cut = [], 0.0
    for at, text in enumerate(corpus.texts):
        # No token is shorter than a character. Long sentences with entities are read in pieces.
        if len(text) <= max_tokens or isinstance(corpus.examples[at], TokenExample):
            continue
        tokens = estimated_tokens(text)
        if tokens > max_tokens:
            fits = len(text) * max_tokens // tokens
            long.append((at, fits, len(text)))
            cut += 1 - max_tokens / tokens
    yield from corpus.finding(
        Code.over_context if chat else Code.long_text,
        [at for at, _, _ in long],
        spots=long,
        detail=f"Of these texts about {cut / max(1, len(long)):.0%} is beyond {max_tokens:,} tokens.",
    )


def estimated_tokens(text: str) -> int:
    """About how many sub-word tokens a text has."""
    single = 0 if text.isascii() else len(_WORDS_OF_ONE_CHARACTER.findall(text))
    return single + (len(text) - single) // CHARACTERS_PER_TOKEN
