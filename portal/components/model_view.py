"""Texts as a model sees them: cut into sub-words, and where they are too long, cut off."""

from collections.abc import Sequence

import streamlit as st

from portal.highlight import literal
from services.config import settings
from services.datasets.findings.lengths import TEXT_TOKENS
from services.training import catalogue
from services.training.recipe import DEFAULT_BASE_MODEL
from services.training.tokenizing import AsRead, as_read

_SHOWN = 10
_TOKENS_SHOWN = 60
# What a sub-word that goes on inside a word begins with.
_INSIDE = "##"


def model_view(texts: Sequence[str]) -> None:
    """The first ten texts, as the default base model reads them."""
    with st.container(border=True, gap="xsmall"):
        for one in _as_read(tuple(texts[:_SHOWN])):
            st.markdown(_line(one))
    st.caption(f"The base model {DEFAULT_BASE_MODEL} reads up to {TEXT_TOKENS:,} of such pieces of a text.")


@st.cache_data(max_entries=64, show_spinner=False)
def _as_read(texts: tuple[str, ...]) -> list[AsRead]:
    folder = catalogue.resolve(DEFAULT_BASE_MODEL, settings().cache_folder)
    return as_read(folder, texts, max_length=TEXT_TOKENS)


def _line(one: AsRead) -> str:
    pieces = [_piece(token) for token in one.tokens[:_TOKENS_SHOWN]]
    more = len(one.tokens) - len(pieces)
    rest = f" :small[:gray[and {more:,} more]]" if more else ""
    lost = f" :small[:red[{one.cut:,} cut off]]" if one.cut else ""
    return f":small[{' '.join(pieces)}]{rest}{lost}"


def _piece(token: str) -> str:
    colour = "blue" if token.startswith(_INSIDE) else "gray"
    return f":{colour}-background[{literal(token.removeprefix(_INSIDE))}]"
