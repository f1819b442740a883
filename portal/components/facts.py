"""Names and values, one a line."""

from collections.abc import Mapping

import streamlit as st


def facts(values: Mapping[str, str]) -> None:
    """A quiet list; values are Markdown, so a customer's words come through `highlight.literal`."""
    st.table(dict(values), border="horizontal")
