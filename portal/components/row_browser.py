"""The rows of a frozen version, a page at a time."""

import streamlit as st

from portal import format as words
from portal.components.examples import example_rows
from services.datasets import files
from services.datasets.split import Split
from services.datasets.tables import DatasetVersion

_PER_PAGE = 25
_SPLITS = {"Train": Split.train, "Validation": Split.validation, "Test": Split.test}
_ALL = "All labels"


@st.fragment
def row_browser(version: DatasetVersion) -> None:
    """Rows by split and label; what is chosen stands in the address."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = st.segmented_control(
            "Split",
            list(_SPLITS),
            default="Train",
            required=True,
            key="split",
            bind="query-params",
        )
        label = st.selectbox("Label", [_ALL, *version.labels], key="label", bind="query-params", width=320)
    key = f"page:{which}:{label}"
    page = st.session_state.get(key, 1)
    found = files.rows(
        version,
        split=_SPLITS[which],
        offset=(page - 1) * _PER_PAGE,
        limit=_PER_PAGE,
        label=None if label == _ALL else label,
    )
    if not found.total:
        st.caption("No rows with this label in this split. Choose another.")
        return
    st.caption(words.count(found.total, "row"))
    example_rows(found.rows, version.labels, shown=_PER_PAGE)
    st.pagination(-(-found.total // _PER_PAGE), key=key)
