"""Rows with their truth and what was predicted, a page at a time."""

from collections.abc import Sequence

import streamlit as st

from portal import format as words
from portal.components.heights import up_to
from portal.highlight import entities, legend
from services.inference.predictions import Entity
from services.training.reporting.answered import Answered, read_span

_PER_PAGE = 25
_PERCENT = "%.1f %%"


def answered_rows(rows: Sequence[Answered], types: Sequence[str], *, key: str) -> None:
    """A page of rows as a table, or of sentences with their entities marked, true ones above predicted."""
    if not rows:
        st.caption("No such rows. Choose less narrowly.")
        return
    page = min(st.session_state.get(key, 1), -(-len(rows) // _PER_PAGE))
    shown = rows[(page - 1) * _PER_PAGE : page * _PER_PAGE]
    st.caption(words.count(len(rows), "sentence" if rows[0].tokens else "row"))
    if rows[0].tokens:
        _sentences(shown, types)
    else:
        _table(shown)
    if len(rows) > _PER_PAGE:
        st.pagination(-(-len(rows) // _PER_PAGE), key=key)


def certainty(row: Answered) -> float:
    """How sure the model was of what it got wrong; where it got all right, of all it said."""
    wrong = [
        figure
        for answer, figure in zip(row.predicted, row.confidence, strict=False)
        if answer not in row.truth
    ]
    considered = wrong or row.confidence
    return sum(considered) / len(considered) if considered else 0.0


def _table(rows: Sequence[Answered]) -> None:
    sureness = (
        {"Confidence": [certainty(row) * 100 for row in rows]}
        if rows[0].off_by is None
        else {"Off by": [row.off_by for row in rows]}
    )
    st.dataframe(
        {
            "Row": [row.row for row in rows],
            "Text": [row.text for row in rows],
            "Truth": [", ".join(row.truth) or "none" for row in rows],
            "Predicted": [", ".join(row.predicted) or "none" for row in rows],
            **sureness,
        },
        column_config={
            "Row": st.column_config.NumberColumn(width=60, help="The row's number in your file"),
            "Text": st.column_config.TextColumn(width="large"),
            "Confidence": st.column_config.ProgressColumn(format=_PERCENT, min_value=0, max_value=100),
            "Off by": st.column_config.NumberColumn(format="%.3g", help="In the unit of your scores"),
        },
        hide_index=True,
        height=up_to(25, len(rows)),
        alt="Rows with their truth and what was predicted",
    )


def _sentences(rows: Sequence[Answered], types: Sequence[str]) -> None:
    st.markdown(legend(types))
    with st.container(border=True, gap="small"):
        for row in rows:
            true = entities(row.text, found(row, row.truth), types)
            said = entities(row.text, found(row, row.predicted), types)
            st.markdown(
                f":small[:gray[{row.row:,} truth]]  {true}  \n:small[:gray[{row.row:,} predicted]]  {said}"
            )


def found(row: Answered, answers: Sequence[str]) -> list[Entity]:
    """The entities of a sentence by characters of its text, in which the tokens stand a blank apart."""
    starts, position = [], 0
    for token in row.tokens:
        starts.append(position)
        position += len(token) + 1
    marked = []
    for span in map(read_span, answers):
        start, last = starts[span.start], span.end - 1
        end = starts[last] + len(row.tokens[last])
        marked.append(Entity(type=span.type, text=row.text[start:end], start=start, end=end, score=1.0))
    return marked
