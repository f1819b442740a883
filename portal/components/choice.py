"""A choice among named things, kept in the address."""

from collections.abc import Mapping
from typing import Literal

import streamlit as st


def choice(
    label: str,
    names: Mapping[str, str],
    *,
    param: str,
    default: str | None = None,
    width: int | Literal["stretch"] = "stretch",
) -> str:
    """The id that was chosen: `names` maps ids to words, `param` is the word of the address."""
    key = f"choice:{param}"
    wanted = st.query_params.get(param)
    # Also where the address changed under a page that was open already.
    st.session_state[key] = wanted if wanted in names else default or next(iter(names))

    def keep() -> None:
        st.query_params[param] = st.session_state[key]

    return st.selectbox(
        label, list(names), format_func=names.__getitem__, key=key, on_change=keep, width=width
    )
