"""Charts on a page."""

import streamlit as st
from plotly import graph_objects as go

from portal.highlight import literal


def chart(figure: go.Figure, *, key: str) -> None:
    """A figure of `portal.charts` below its finding, which wraps as a title inside would not."""
    finding: str = figure.layout.title.text
    st.markdown(f"**{literal(finding)}**")
    untitled = go.Figure(figure).update_layout(title_text=None)
    st.plotly_chart(untitled, key=key, config={"displayModeBar": False}, alt=finding)
