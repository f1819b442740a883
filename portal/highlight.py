"""Customers' text inside Streamlit's markdown: shown letter for letter, with its entities coloured."""

import re
from collections.abc import Iterable, Sequence

from services.inference.predictions import Entity

# The names that Streamlit's markdown gives its colours; the palette of the theme decides the shades.
COLOURS = ("blue", "orange", "green", "violet", "red", "yellow", "gray")

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_SPACE = re.compile(r"[^\S\n]+")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
# Streamlit turns icons, arrows and addresses into something else after the escapes are gone, wherever they
# stand in one piece. A coloured nothing inside cuts them in two and leaves no trace in the text.
_CUT = ":gray[]"
_CUT_HERE = re.compile(r"(?<=:)(?=[\w+/-])|(?<=[-<>~])(?=[-=>])|(?<=[wW])(?=\.)|(?=@)")


def literal(text: str) -> str:
    """Markdown that shows a text letter for letter; line breaks are kept, other white space is one blank."""
    return _lines(text.rstrip())


def colours(types: Iterable[str]) -> dict[str, str]:
    """A colour for each entity type, by the place of its name: the same types look the same on every page."""
    return {kind: COLOURS[place % len(COLOURS)] for place, kind in enumerate(sorted(set(types)))}


def entities(text: str, found: Sequence[Entity], types: Iterable[str]) -> str:
    """Markdown of a text with its entities on a coloured ground, each followed by its type.

    `types` are all types that the model knows; those of `found` need not be among them.
    """
    colour_of = colours({*types, *(entity.type for entity in found)})
    text = text.rstrip()
    parts: list[str] = []
    position = 0
    for entity in sorted(found, key=lambda entity: entity.start):
        parts.append(_lines(text[position : entity.start]))
        marked = _literal_line(text[entity.start : entity.end])
        colour = colour_of[entity.type]
        parts.append(f":{colour}-background[{marked} :{colour}[:small[{_literal_line(entity.type)}]]]")
        position = entity.end
    parts.append(_lines(text[position:]))
    return "".join(parts)


def tagged(tokens: Sequence[str], tags: Sequence[str], types: Iterable[str]) -> str:
    """`entities` of a sentence of tokens with IOB2 tags; the tokens stand a blank apart."""
    found: list[Entity] = []
    position = 0
    for token, tag in zip(tokens, tags, strict=True):
        end = position + len(token)
        if tag.startswith("I-") and found:
            start = found.pop().start
            found.append(Entity(type=tag[2:], text="", start=start, end=end, score=1.0))
        elif tag != "O":
            found.append(Entity(type=tag[2:], text=token, start=position, end=end, score=1.0))
        position = end + 1
    return entities(" ".join(tokens), found, types)


def legend(types: Iterable[str]) -> str:
    """Markdown that names each entity type on its colour."""
    named = colours(types).items()
    return " ".join(f":{colour}-background[{_literal_line(kind)}]" for kind, colour in named)


def _lines(text: str) -> str:
    # A backslash at the end of a line is a line break, but only where another line follows.
    return "\\\n".join(_literal_line(line) for line in _LINE_BREAK.split(text))


def _literal_line(text: str) -> str:
    pieces = _CUT_HERE.split(_SPACE.sub(" ", _LINE_BREAK.sub(" ", text)))
    return _CUT.join(_PUNCTUATION.sub(r"\\\g<0>", piece) for piece in pieces)
