"""Words that outlive the run in which they are said: after a dialog has closed, or on the next page."""

import streamlit as st

from portal.errors import say
from portal.highlight import literal
from services.errors import ServiceError

_DONE, _FAILED = "notice_done", "notice_failed"


def announce(text: str, *, icon: str = ":material/check_circle:") -> None:
    """Say it as a toast at the next full run."""
    st.session_state[_DONE] = (text, icon)


def complain(error: ServiceError) -> None:
    """Say at the top of the page, at the next full run, why an action was refused."""
    st.session_state[_FAILED] = (error.message, error.code)


def show_notices() -> None:
    """Show what was left to be said, once; the router calls this before the page."""
    if done := st.session_state.pop(_DONE, None):
        st.toast(literal(done[0]), icon=done[1])
    if failed := st.session_state.pop(_FAILED, None):
        say(*failed)
