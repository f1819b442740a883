"""The door: what this is in one sentence, and the ways in."""

import streamlit as st

from portal.components.notice import show_notices
from services.config import settings

show_notices()
st.space("large")
_, middle, _ = st.columns([1, 1.4, 1])
with middle, st.container(border=True, gap="medium"):
    st.title("Sign in to Tuneport", anchor=False)
    st.write("Turn your own labelled text into a small language model in minutes, and pay for what you use.")
    for number, (name, provider) in enumerate(settings().providers.items()):
        if st.button(
            f"Continue with {provider.title}",
            type="primary" if number == 0 else "secondary",
            width="stretch",
            key=f"provider_{name}",
        ):
            st.login(name)
    if not settings().providers:
        st.warning("No identity provider is set up yet. The operator's guide says how to connect one.")
