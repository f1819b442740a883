"""Texts in another language than most, told by their script and their commonest words."""

import re
from collections import Counter
from collections.abc import Iterator

from services.datasets.findings.catalogue import Code
from services.datasets.findings.corpus import Corpus
from services.datasets.findings.finding import Finding

# The commonest words of each language that are hardly ever words of the others.
_COMMON = {
    "English": "the and is are was were this that with have for you my your not what how from they would to",
    "German": "der das und ist nicht ich ein eine mit auf für den dem wir sie auch sich aber wie kann mein",
    "French": "les et est dans pour qui pas je vous nous sur avec mon sont cette très ne mes votre c'est",
    "Spanish": "el los las y pero está como más muy qué yo cuando hay esta por cómo tengo puedo su estoy",
    "Italian": "il gli di che è sono questo della nel più anche perché mio ho delle alla stato sulla dove",
    "Portuguese": "os não uma meu minha você isso mas foi são ao pelo eu muito tenho já dos",
    "Dutch": "het een ik niet dat voor zijn op aan mijn ook maar wat hoe naar deze heb kan wordt van",
    "Polish": "nie się jest że jak czy dla mój jestem przez tylko już proszę mam moja jej był są ale",
}
_LANGUAGE = {word: name for name, words in _COMMON.items() for word in words.split()}
_SCRIPTS = {
    "Japanese": "\u3040-\u30ff",
    "Chinese": "\u4e00-\u9fff",
    "Korean": "\uac00-\ud7af",
    "Cyrillic script": "\u0400-\u04ff",
    "Greek": "\u0370-\u03ff",
    "Arabic script": "\u0600-\u06ff",
    "Hebrew": "\u0590-\u05ff",
    "Devanagari script": "\u0900-\u097f",
    "Thai": "\u0e00-\u0e7f",
}
_SCRIPT = {name: re.compile(f"[{letters}]") for name, letters in _SCRIPTS.items()}
# Texts in a language, and their share of those that could be told: below this it is quotes and names.
_FEWEST, _LEAST_SHARE = 5, 0.01


def check(corpus: Corpus) -> Iterator[Finding]:
    """The rows in other languages than the most frequent one."""
    told = {at: name for at, text in enumerate(corpus.texts) if (name := language(text))}
    counts = Counter(told.values())
    named = [name for name, rows in counts.most_common() if rows >= max(_FEWEST, _LEAST_SHARE * len(told))]
    others = set(named[1:])
    detail = "; ".join(f"{name} {counts[name]:,}" for name in named)
    yield from corpus.finding(
        Code.mixed_languages,
        [at for at, name in told.items() if name in others],
        detail=f"Rows by what they look like: {detail}.",
    )


def language(text: str) -> str:
    """The likely language, or script, of a text; empty where too little tells."""
    if not text.isascii():
        for name, letters in _SCRIPT.items():
            # Japanese is written with Chinese characters too, and stands before it.
            if len(letters.findall(text)) * 4 >= len(text):
                return name
    votes = [_LANGUAGE[word] for word in text.lower().split() if word in _LANGUAGE]
    best = max(set(votes), key=votes.count, default="")
    # One word may be a name or a slip; two, and more than all others, are hardly chance.
    return best if votes.count(best) >= 2 and votes.count(best) * 2 > len(votes) else ""
