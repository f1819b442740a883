"""Entities as stretches of a text: found again by whatever unit they were counted in, and made into tags."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from services.datasets.dropped import DropCode
from services.datasets.examples import TokenExample
from services.datasets.layouts.faults import label_fault, text_fault
from services.datasets.layouts.tokens import sentence
from services.datasets.limits import MAX_TOKENS
from services.datasets.notes import NoteCode, Notes
from services.datasets.readers.tags import OUTSIDE

# Characters of scripts that put no spaces between words: each is taken as a word.
_IDEOGRAPH = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_LETTER = rf"[^\W{_IDEOGRAPH}]"
_WORD = re.compile(rf"{_LETTER}+|[{_IDEOGRAPH}]|[^\w\s]")
_TWO_LETTERS = re.compile(_LETTER * 2)


class Span(NamedTuple):
    """An entity from one character up to another; `surface` is the text there, if the file repeats it."""

    start: int
    end: int
    label: str
    surface: str | None = None


def tagged(row: int, text: str, spans: Sequence[Span], notes: Notes) -> TokenExample | DropCode:
    """The words of a text with IOB2 tags for its entities, or why there are none."""
    if fault := text_fault(text.strip()):
        return fault
    if len(spans) > MAX_TOKENS:
        return DropCode.too_many_tokens
    for span in spans:
        if fault := label_fault(span.label):
            return fault
    located = _located(row, text, spans, notes)
    if isinstance(located, DropCode):
        return located
    kept = _apart(row, text, [_trimmed(row, text, span, notes) for span in located], notes)
    edges = {edge for span in kept for edge in (span.start, span.end)}
    if any(_inside_word(text, edge) for edge in edges):
        notes.row(NoteCode.divided_words, row)
    words = list(_words(text, sorted(edges)))
    return sentence(row, [text[start:end] for start, end in words], _tags(words, kept))


def _located(row: int, text: str, spans: Sequence[Span], notes: Notes) -> Sequence[Span] | DropCode:
    """The entities by characters, counted in the first unit by which all are where they should be."""
    found = [(unit, counted) for unit, counted in _readings(text, spans) if counted is not None]
    if not found:
        return DropCode.span_outside
    fitting = [reading for reading in found if all(_fits(text, span) for span in reading[1])]
    if not fitting:
        return DropCode.span_mismatch
    unit, located = next((reading for reading in fitting if _on_words(text, reading[1])), fitting[0])
    if unit is not None:
        notes.row(unit, row)
    return located


def _readings(text: str, spans: Sequence[Span]) -> Iterator[tuple[NoteCode | None, list[Span] | None]]:
    """The entities counted in each unit that makes a difference here; None where one lies outside."""
    inside = all(0 <= span.start < span.end <= len(text) for span in spans)
    yield None, list(spans) if inside else None
    if spans and not text.isascii():
        if max(text) > "\uffff":
            yield NoteCode.utf16_offsets, _counted(text, spans, lambda sign: 1 + (sign > "\uffff"))
        yield NoteCode.byte_offsets, _counted(text, spans, lambda sign: len(sign.encode()))


def _counted(text: str, spans: Sequence[Span], size: Callable[[str], int]) -> list[Span] | None:
    places = {offset: at for at, offset in enumerate(accumulate(map(size, text), initial=0))}
    if any(not 0 <= span.start < span.end or not {span.start, span.end} <= places.keys() for span in spans):
        return None
    return [span._replace(start=places[span.start], end=places[span.end]) for span in spans]


def _fits(text: str, span: Span) -> bool:
    return span.surface is None or text[span.start : span.end].split() == span.surface.split()


def _on_words(text: str, spans: Iterable[Span]) -> bool:
    """Does every entity begin and end where a word does?"""
    return not any(
        _inside_word(text, span.start)
        or _inside_word(text, span.end)
        or text[span.start].isspace()
        or text[span.end - 1].isspace()
        for span in spans
    )


def _inside_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and _TWO_LETTERS.match(text, at - 1) is not None


def _trimmed(row: int, text: str, span: Span, notes: Notes) -> Span:
    surface = text[span.start : span.end]
    start = span.end - len(surface.lstrip())
    trimmed = span._replace(start=start, end=start + len(surface.strip()))
    if trimmed != span:
        notes.row(NoteCode.trimmed_spans, row)
    return trimmed


def _apart(row: int, text: str, spans: Sequence[Span], notes: Notes) -> list[Span]:
    """The entities in the order of the text, of those that overlap the longest."""
    distinct = {(span.start, span.end, span.label): span for span in spans if span.start < span.end}
    if len(distinct) < len(spans):
        notes.row(NoteCode.repeated_spans, row)
    taken = bytearray(len(text))
    kept: list[Span] = []
    for span in sorted(distinct.values(), key=lambda span: (span.start - span.end, span.start)):
        if taken.find(1, span.start, span.end) >= 0:
            notes.row(NoteCode.overlapping_spans, row)
            continue
        taken[span.start : span.end] = b"\1" * (span.end - span.start)
        kept.append(span)
    return sorted(kept)


def _words(text: str, edges: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Start and end of every word, divided at the edges, which are in order."""
    at = 0
    for word in _WORD.finditer(text):
        start, end = word.span()
        while at < len(edges) and edges[at] <= start:
            at += 1
        while at < len(edges) and edges[at] < end:
            yield start, edges[at]
            start, at = edges[at], at + 1
        yield start, end


def _tags(words: Iterable[tuple[int, int]], spans: Sequence[Span]) -> list[str]:
    """A tag for every word; words and entities are in order, and no word is cut by an edge."""
    tags: list[str] = []
    at = 0
    for start, _ in words:
        while at < len(spans) and spans[at].end <= start:
            at += 1
        if at == len(spans) or start < spans[at].start:
            tags.append(OUTSIDE)
        else:
            tags.append(f"{'B' if start == spans[at].start else 'I'}-{spans[at].label}")
    return tags
