"""Asking before something is lost."""

from collections.abc import Callable

import streamlit as st

from portal.components.notice import announce, complain
from services.errors import ServiceError


def confirm(title: str, *, loses: str, verb: str, act: Callable[[], None], done: str) -> None:
    """Ask in a dialog, saying what will be lost; on `verb`, act and say `done` as a toast.

    Called where the asking button was pressed. `act` opens its own transaction.
    """

    def go() -> None:
        try:
            act()
        except ServiceError as error:
            complain(error)
        else:
            announce(done)

    @st.dialog(title)
    def ask() -> None:
        st.write(loses)
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancelled = st.button("Keep it", key="confirm_keep")
            # As a callback it runs before the page does, which then shows the new state at once.
            agreed = st.button(verb, key="confirm_go", type="primary", on_click=go)
        if cancelled or agreed:
            st.rerun()

    ask()
