"""Raw text into the words that a token classifier tags."""

import re
from unicodedata import category

# Vowel signs and accents that stand after their letter; Python does not count them as part of a word.
_MARKS = "".join(sign for sign in map(chr, range(0x10000)) if category(sign).startswith("M"))
_IDEOGRAPH = r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
_LETTER = rf"(?:(?!{_IDEOGRAPH})[\w{_MARKS}])"
_GENITIVE = r"['’][sS]\b"
# As CoNLL files have it: signs stand alone, save inside a word (o'clock, e-mail, 3.5, a.b/c) and the @ or #
# that begins one; 's is a word. Chinese and Japanese characters are words of their own.
_WORD = re.compile(rf"{_IDEOGRAPH}|{_GENITIVE}|[@#]?{_LETTER}+(?:(?!{_GENITIVE})[^\w\s]+{_LETTER}+)*|[^\w\s]")


def words(text: str) -> list[tuple[int, int]]:
    """Start and end, in characters, of each word of a text."""
    return [found.span() for found in _WORD.finditer(text)]
