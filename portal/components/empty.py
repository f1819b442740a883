"""What stands where there is nothing yet."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def empty_state(title: str, advice: str, *, icon: str = ":material/inbox:") -> DeltaGenerator:
    """A quiet card that says what to do next; gives the place below its words for the button that does it."""
    card = st.container(
        border=True, horizontal_alignment="center", vertical_alignment="center", gap="small", height="content"
    )
    with card:
        st.space("small")
        st.markdown(f"#### :gray[{icon}]", width="content")
        st.markdown(f"**{title}**", width="content", text_alignment="center")
        st.caption(advice, width="content", text_alignment="center")
        place = st.container(horizontal=True, horizontal_alignment="center")
        st.space("small")
    return place
