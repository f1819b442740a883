"""The tabs with code to copy."""

import streamlit as st

from portal import snippets
from services.config import settings
from services.inference.predictions import Input


def snippet_tabs(model: str, asked: Input) -> None:
    """How to ask a model from code: curl, Python, and the openai client."""
    url = settings().api_url.rstrip("/")
    shell, plain, client = st.tabs(["curl", "Python", "Python, openai client"])
    shell.code(snippets.curl(url, model, asked), language="bash", wrap_lines=True)
    plain.code(snippets.python(url, model, asked), language="python", wrap_lines=True)
    client.code(snippets.openai(url, model, asked), language="python", wrap_lines=True)
