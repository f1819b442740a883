"""Buttons that give a file."""

from collections.abc import Callable

import streamlit as st

from portal.downloads import LINK_LIFE, download_url, staff_download_url


def download_link(label: str, kind: str, subject: str) -> None:
    """A button for a file; `kind` and `subject` as in `download_url`. The link is renewed before it ends."""
    # A fragment takes all the width it is given, and would push what stands beside it to another line.
    with st.container(width="content"):
        _renewed(label, kind, subject)


def staff_download_link(label: str, kind: str, subject: str) -> None:
    """The same for our operators; `kind` and `subject` as in `staff_download_url`."""
    with st.container(width="content"):
        _renewed(label, kind, subject, made=staff_download_url)


@st.fragment(run_every=LINK_LIFE * 0.8)
def _renewed(label: str, kind: str, subject: str, *, made: Callable[[str, str], str] = download_url) -> None:
    st.link_button(label, made(kind, subject), icon=":material/download:")
