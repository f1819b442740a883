"""The tabs with code to copy."""

import streamlit as st

from portal import snippets
from services.config import settings
from services.inference.predictions import Input


def snippet_tabs(model: str, asked: Input) -> None:
    """How to ask a model from code: curl, Python, and the openai client."""
    url = settings().api_url.rstrip("/")
    code_tabs(
        snippets.curl(url, model, asked),
        snippets.python(url, model, asked),
        snippets.openai(url, model, asked),
    )


def code_tabs(curl: str, python: str, openai: str) -> None:
    """The same request three times."""
    shell, plain, client = st.tabs(["curl", "Python", "Python, openai client"])
    shell.code(curl, language="bash", wrap_lines=True)
    plain.code(python, language="python", wrap_lines=True)
    client.code(openai, language="python", wrap_lines=True)
