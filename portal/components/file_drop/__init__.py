"""Where files are dropped: sent in parts, with progress, and on after a broken connection."""

from pathlib import Path

import streamlit as st

from portal.uploads import link_query

_FOLDER = Path(__file__).parent


def _asset(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


_drop = st.components.v2.component(
    "tuneport_file_drop", html=_asset("drop.html"), css=_asset("drop.css"), js=_asset("drop.js")
)


def file_drop(hint: str, *, disabled: bool, key: str) -> list[str]:
    """A place to drop files, or to choose them; gives the ids of the files that have just arrived."""
    found = _drop(
        key=key,
        data={"hint": hint, "disabled": disabled, "link": link_query()},
        on_done_change=lambda: None,
    )
    return list(found.done or [])
