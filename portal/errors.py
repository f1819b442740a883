"""What a person sees when something goes wrong: an expected failure in its own words, a bug as an apology."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from portal.highlight import literal
from services.errors import ServiceError

log = logging.getLogger(__name__)


@contextmanager
def shown() -> Iterator[None]:
    """Show an expected failure of this block in plain words, and go on after it."""
    try:
        yield
    except ServiceError as error:
        show(error)


def show(error: ServiceError) -> None:
    """The failure's sentence, and its code for whoever asks us about it."""
    say(error.message, error.code)


def say(message: str, code: str) -> None:
    """`show` for a failure of which only its words are left."""
    # The sentence may quote what somebody typed, which is not ours to interpret.
    st.error(f"{literal(message)}  \n:small[:gray[{code}]]", icon=":material/error:")


def apologise(error: Exception) -> bool:
    """What Streamlit calls for an exception that no page caught; True, so that it shows no traceback."""
    if isinstance(error, ServiceError):
        show(error)
        return True
    reference = secrets.token_hex(4).upper()
    log.error("page failed reference=%s", reference, exc_info=error)
    st.error(
        "Something went wrong on our side, and we have noted it. Please try again. "
        f"If it happens again, write to us and name the reference **{reference}**.",
        icon=":material/sentiment_dissatisfied:",
    )
    return True
