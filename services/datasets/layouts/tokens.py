"""Rows with a list of tokens and a list of as many tags, by name or by number."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from services.datasets.dropped import DropCode
from services.datasets.encodings import is_readable
from services.datasets.examples import Example, TokenExample
from services.datasets.formats import Format, Layout
from services.datasets.layouts.columns import Interpret
from services.datasets.layouts.labels import items_of, written_list
from services.datasets.layouts.recognised import Recognised, Rows, confidence_of, is_most
from services.datasets.limits import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS, MAX_TOKENS
from services.datasets.notes import NoteCode, Notes
from services.datasets.readers.tags import OUTSIDE, is_tag, to_iob2
from services.datasets.records import Fields
from services.training.recipe import Task

_TOKENS = ("tokens", "words", "token_list")
_TAGS = ("ner_tags", "tags", "ner", "labels", "entities", "bio", "bio_tags", "tag_ids", "label")


def recognise(names: Sequence[str], rows: Rows) -> Recognised | None:
    """Tokens and tags, if two columns hold lists of one length in most of the rows."""
    for column in _TOKENS:
        for tags in (*_TAGS, *names):
            if column not in names or tags not in names or tags == column:
                continue
            fitting = [fields for fields in rows if _are_tagged(fields.get(column), fields.get(tags))]
            if is_most(fitting, rows):
                return Recognised(
                    {
                        "layout": Layout.tokens,
                        "text_column": column,
                        "label_column": tags,
                        "task": Task.token_classification,
                    },
                    confidence_of(fitting, rows),
                    f"“{column}” and “{tags}” are lists of one length, of tokens and of their tags.",
                )
    return None


def interpreter(form: Format, notes: Notes) -> Interpret:
    """What makes a sentence of a row's fields, or says why it cannot."""

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        try:
            tokens, tags = (fields[column] for column in (form.text_column, form.label_column or ""))
        except KeyError:
            return DropCode.missing_field
        if _are_numbers(tags):
            tags = [_tag_of(number, form.label_names) for number in tags]
            if not form.label_names:
                notes.row(NoteCode.numbers_as_tags, row)
        words, names = items_of(tokens, None), items_of(tags, None)
        if words is None or names is None:
            return DropCode.wrong_type
        return sentence(row, [word.strip() for word in words], names)

    return interpret


def sentence(row: int, tokens: Sequence[str], tags: Sequence[str]) -> TokenExample | DropCode:
    """The sentence with its tags in IOB2, or why it cannot be used."""
    if not tokens:
        return DropCode.empty_row
    if len(tokens) != len(tags):
        return DropCode.tags_differ
    if not all(tokens):
        return DropCode.empty_token
    if not all(map(is_readable, chain(tokens, tags))):
        return DropCode.unreadable_row
    if not all(map(is_tag, tags)):
        return DropCode.broken_tag
    if max(map(len, tags)) > MAX_LABEL_CHARACTERS:
        return DropCode.label_too_long
    if len(tokens) > MAX_TOKENS or sum(map(len, tokens)) > MAX_TEXT_CHARACTERS:
        return DropCode.too_many_tokens
    return TokenExample(row, tuple(tokens), to_iob2(tags))


def _are_numbers(tags: Any) -> bool:
    return isinstance(tags, list) and bool(tags) and all(type(tag) is int for tag in tags)


def _tag_of(number: int, names: tuple[str, ...]) -> str:
    """The name of a numbered tag; without names, equal numbers side by side are one entity."""
    if 0 <= number < len(names):
        return names[number]
    return f"I-{number}" if number else OUTSIDE


def _are_tagged(tokens: Any, tags: Any) -> bool:
    tokens = written_list(tokens) if isinstance(tokens, str) else tokens
    tags = written_list(tags) if isinstance(tags, str) else tags
    if not isinstance(tokens, list) or not isinstance(tags, list) or len(tokens) != len(tags):
        return False
    return all(type(tag) is int or (isinstance(tag, str) and (tag.isdigit() or is_tag(tag))) for tag in tags)
