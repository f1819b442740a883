"""The tabs with code to copy."""

import streamlit as st

from portal import snippets
from services.config import settings


def snippet_tabs(model: str, text: str) -> None:
    """How to ask a model from code: curl, Python, and the openai client."""
    url = settings().api_url.rstrip("/")
    shell, plain, client = st.tabs(["curl", "Python", "Python, openai client"])
    shell.code(snippets.curl(url, model, text), language="bash", wrap_lines=True)
    plain.code(snippets.python(url, model, text), language="python", wrap_lines=True)
    client.code(snippets.openai(url, model, text), language="python", wrap_lines=True)
