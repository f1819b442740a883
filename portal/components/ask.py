"""Asking for a sentence before something is done to somebody's work."""

from collections.abc import Callable

import streamlit as st

from portal.components.notice import announce, complain
from services.errors import ServiceError

_SENTENCE = "ask_sentence"


def ask(title: str, *, loses: str, label: str, verb: str, act: Callable[[str], None], done: str) -> None:
    """`components.confirm`, with a sentence for `act` to be typed before.

    Called where the asking button was pressed. `act` opens its own transaction.
    """

    def go() -> None:
        try:
            act(st.session_state[_SENTENCE])
        except ServiceError as error:
            complain(error)
        else:
            announce(done)

    @st.dialog(title)
    def dialog() -> None:
        st.write(loses)
        st.text_area(label, key=_SENTENCE, max_chars=500)
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancelled = st.button("Leave it", key="ask_leave")
            agreed = st.button(verb, key="ask_go", type="primary", on_click=go)
        if cancelled or agreed:
            st.rerun()

    dialog()
