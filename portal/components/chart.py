"""Charts on a page."""

from collections.abc import Callable

import streamlit as st
from plotly import graph_objects as go

from portal.highlight import literal


def clickable_chart(figure: go.Figure, *, key: str) -> tuple[str, int] | None:
    """A figure whose bars can be clicked: gives the place on the x axis and the number of the trace."""
    finding: str = figure.layout.title.text
    st.markdown(f"**{literal(finding)}**")
    untitled = go.Figure(figure).update_layout(title_text=None)
    chosen = st.plotly_chart(
        untitled,
        key=key,
        config={"displayModeBar": False},
        alt=finding,
        on_select="rerun",
        selection_mode="points",
    )
    points = chosen["selection"]["points"]
    return (str(points[0]["x"]), int(points[0]["curve_number"])) if points else None


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
