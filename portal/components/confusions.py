"""Which labels are taken for which, and the rows behind each pair; the pair stands in the address."""

from collections.abc import Sequence

import streamlit as st

from portal.charts import confusion
from portal.components.answered_rows import answered_rows, certainty
from portal.components.chart import chart
from portal.components.heights import up_to
from portal.verdict import confused_pairs
from services.training.reporting.answered import Answered
from services.training.reporting.report import Confusion

_TRUTH, _PREDICTED, _PICTURE = "truth", "predicted", "confusion"


@st.fragment
def confusions(matrix: Confusion, answers: Sequence[Answered]) -> None:
    """The pairs that are confused most, the whole picture, and the rows of the pair that was chosen."""
    pairs = confused_pairs(matrix, limit=10)
    if not pairs:
        st.caption("Every test row got its right label. There is nothing to confuse.")
        return
    st.markdown("**Confused most often**")
    st.dataframe(
        {
            "Truth": [pair.truth for pair in pairs],
            "Predicted": [pair.predicted for pair in pairs],
            "Rows": [pair.rows for pair in pairs],
            "Share of the true label": [pair.share * 100 for pair in pairs],
        },
        column_config={
            "Share of the true label": st.column_config.ProgressColumn(
                format="%.1f %%", min_value=0, max_value=100
            )
        },
        hide_index=True,
        height=up_to(12, len(pairs)),
        alt="Pairs of labels that are confused, most frequent first",
    )
    chart(confusion(matrix), key=_PICTURE, on_point=_chosen if answers else None)
    st.caption(
        "A row of the picture is a true label, a column a predicted one. Blue is right, orange is wrong; the "
        "stronger the colour, the larger the share of the true label's rows. Press a cell to read its rows."
    )
    if answers:
        _rows(matrix, answers, pairs[0].truth, pairs[0].predicted)


def _rows(matrix: Confusion, answers: Sequence[Answered], truth: str, predicted: str) -> None:
    labels = matrix.labels
    with st.container(horizontal=True, vertical_alignment="bottom"):
        truth = st.selectbox(
            "Rows that are", labels, index=labels.index(truth), key=_TRUTH, bind="query-params", width=320
        )
        predicted = st.selectbox(
            "and were called",
            labels,
            index=labels.index(predicted),
            key=_PREDICTED,
            bind="query-params",
            width=320,
        )
    rows = [
        row
        for row in answers
        if row.split == "test" and row.truth == [truth] and row.predicted == [predicted]
    ]
    rows.sort(key=lambda row: -certainty(row))
    answered_rows(rows, labels, key=f"confused:{truth}:{predicted}")


def _chosen() -> None:
    """Take over the pair of the cell that was pressed."""
    points = st.session_state[_PICTURE]["selection"]["points"]
    if points:
        truth, predicted = points[0]["customdata"][:2]
        st.session_state[_TRUTH], st.session_state[_PREDICTED] = truth, predicted
