"""Rows of a data set as people read them."""

from collections.abc import Iterable, Sequence

import streamlit as st

from portal.components.heights import up_to
from portal.highlight import legend, tagged
from services.datasets.examples import Example, ScoreExample, TokenExample


def example_rows(examples: Sequence[Example], types: Iterable[str], *, shown: int) -> None:
    """Texts and their labels as a table, or sentences with their entities marked; `shown` fit at once."""
    texts = [example for example in examples if not isinstance(example, TokenExample)]
    sentences = [example for example in examples if isinstance(example, TokenExample)]
    if texts:
        _texts(texts, shown)
    if sentences:
        _sentences(sentences, list(types), shown)


def _texts(examples: Sequence[Example], shown: int) -> None:
    st.dataframe(
        {
            "Row": [example.row for example in examples],
            "Text": [example.text for example in examples],
            "Label": [_answer(example) for example in examples],
        },
        column_config={
            "Row": st.column_config.NumberColumn(width=70, help="The row's number in your file"),
            "Text": st.column_config.TextColumn(width=760),
            "Label": st.column_config.TextColumn(width=200),
        },
        hide_index=True,
        height=up_to(shown, len(examples)),
        alt="Rows of the data set",
    )


def _answer(example: Example) -> str:
    """What is to be learned, in one cell; a conversation's answers stand in its text."""
    if isinstance(example, ScoreExample):
        return f"{example.score:g}"
    return ", ".join(example.labels)


def _sentences(examples: Sequence[TokenExample], types: list[str], shown: int) -> None:
    st.markdown(legend(types))
    with st.container(border=True, height=up_to(shown, len(examples)), gap="xsmall"):
        for example in examples:
            st.markdown(f":small[:gray[{example.row:,}]] {tagged(example.tokens, example.tags, types)}")
