"""The door: what this is in one sentence, and the ways in."""

from pathlib import Path

import streamlit as st

from portal.components.notice import show_notices
from services.config import settings

LOGO = Path(__file__).parent.parent / "static" / "logo.svg"

providers = settings().providers

show_notices()
st.space("large")
_, middle, _ = st.columns([1, 1.3, 1])
with middle, st.container(border=True, gap="medium", horizontal_alignment="center"):
    st.space("small")
    st.image(str(LOGO), width=190)
    st.markdown(
        "Turn your own labelled text into a small language model in minutes, and pay for what you use.",
        text_alignment="center",
    )
    for number, (name, provider) in enumerate(providers.items()):
        if st.button(
            f"Continue with {provider.title}",
            type="primary" if number == 0 else "secondary",
            width="stretch",
            key=f"provider_{name}",
        ):
            st.login(name)
    if not providers:
        st.warning("No identity provider is set up yet. The operators’ guide says how to connect one.")
    st.space("small")
