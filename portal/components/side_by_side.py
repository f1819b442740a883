"""Fields, and beside them what they would mean."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def side_by_side() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two places beside each other, the second below the first where the window is narrow."""
    with st.grid(2, min_column_width=340, gap="large"):
        return st.container(height="content"), st.container(height="content")
