"""Charts on a page."""

from collections.abc import Callable

import streamlit as st
from plotly import graph_objects as go

from portal.highlight import literal


def chart(figure: go.Figure, *, key: str, on_point: Callable[[], None] | None = None) -> None:
    """A figure of `portal.charts` below its finding, which wraps as a title inside would not.

    `on_point` is called when a point was pressed; it stands in the session under the key.
    """
    finding: str = figure.layout.title.text
    st.markdown(f"**{literal(finding)}**")
    untitled = go.Figure(figure).update_layout(title_text=None)
    config = {"displayModeBar": False}
    if on_point is None:
        st.plotly_chart(untitled, key=key, config=config, alt=finding)
    else:
        st.plotly_chart(
            untitled, key=key, config=config, alt=finding, on_select=on_point, selection_mode="points"
        )
