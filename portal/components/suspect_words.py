"""Doubted words of sentences: marked where they stand, and how a sentence reads once its tags are changed."""

from collections.abc import Mapping, Sequence

import streamlit as st

from portal.highlight import legend, literal, tagged
from services.datasets.fixes import EditRow
from services.datasets.readers.tags import OUTSIDE, to_iob2
from services.training.reporting.suspects import Suspect

_SHOWN = 10
# Words that a cell shows before the doubted one, so that it is in sight.
_BEFORE = 4


def tags_of(types: Sequence[str]) -> list[str]:
    """What a word may be tagged as."""
    return [OUTSIDE, *(f"{prefix}-{kind}" for kind in types for prefix in ("B", "I"))]


def around(one: Suspect) -> str:
    """The sentence about the doubted word, which stands in brackets."""
    assert one.tokens is not None
    assert one.word is not None
    start = max(0, one.word - _BEFORE)
    before = ["…"] * (start > 0) + one.tokens[start : one.word]
    return " ".join([*before, f"⟦{one.tokens[one.word]}⟧", *one.tokens[one.word + 1 :]])


def sentence_edits(doubts: Sequence[Suspect], changed: Mapping[int, str]) -> list[EditRow]:
    """One edit for each sentence; `changed` is the place of a doubt -> its word's new tag."""
    found: dict[int, list[str]] = {}
    for place, tag in changed.items():
        one = doubts[place]
        assert one.word is not None
        found.setdefault(one.row, list(one.given or ()))[one.word] = tag
    return [EditRow(row=row, labels=to_iob2(tags)) for row, tags in found.items()]


def sentences(doubts: Sequence[Suspect], types: Sequence[str], edits: Sequence[EditRow]) -> None:
    """Sentences with their entities marked: those that are changed with what they become, or the first."""
    new = {edit.row: edit.labels for edit in edits}
    chosen = list({one.row: one for one in doubts if not new or one.row in new}.values())
    st.markdown(f"{'**What you change**' if new else '**The first of them as they stand**'}  {legend(types)}")
    with st.container(border=True, gap="small"):
        for one in chosen[:_SHOWN]:
            st.markdown(_line(one, types, new.get(one.row)))
    if len(chosen) > _SHOWN and new:
        st.caption(f"And {len(chosen) - _SHOWN:,} more.")


def _line(one: Suspect, types: Sequence[str], new: Sequence[str] | None) -> str:
    assert one.tokens is not None
    assert one.word is not None
    now = tagged(one.tokens, one.given or [], types)
    if new is None:
        then = (
            f":small[:gray[more likely]] {literal(one.tokens[one.word])} :small[:gray[as] "
            f"{literal(one.suggested)} :gray[({one.other:.0%})]]"
        )
    else:
        then = f":small[:gray[becomes]] {tagged(one.tokens, new, types)}"
    return f":small[:gray[{one.row:,} now]] {now}  \n{then}"
