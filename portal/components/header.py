"""The top of every page."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from portal.highlight import literal


def page_header(title: str, caption: str = "", *, back: tuple[str, str] | None = None) -> DeltaGenerator:
    """The title, a line below it, and the place right of it for the page's one primary action.

    The title is shown letter for letter. The caption is Markdown: a customer's words go through `literal`.
    `back` is the page that this one was reached from: its file and its title.

        with page_header("Data sets", "Labelled text that models learn from."):
            st.button("Upload", type="primary")
    """
    if back is not None:
        st.page_link(back[0], label=back[1], icon=":material/arrow_back:")
    row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    with row:
        words = st.container(width="stretch", gap="xsmall")
        actions = st.container(
            width="content", horizontal=True, horizontal_alignment="right", vertical_alignment="center"
        )
    with words:
        st.title(literal(title), anchor=False)
        if caption:
            st.caption(caption)
    return actions
