"""Failures on pages: the expected ones in their own words, bugs as an apology, never a traceback."""

import re

import pytest
from streamlit.testing.v1 import AppTest


def expected() -> None:
    import streamlit as st

    from portal.errors import shown
    from services.accounts.errors import BadEmail

    with shown():
        raise BadEmail("<b>[x](https://evil.example)")
    st.write("the page goes on")


def bug() -> None:
    import streamlit as st

    from portal.errors import apologise

    st.write(apologise(ZeroDivisionError("tuneport-secret-canary")))


def uncaught() -> None:
    import streamlit as st

    from portal.errors import apologise
    from services.errors import NotFound

    st.write(apologise(NotFound("job")))


def test_an_expected_failure_is_its_sentence_and_its_code() -> None:
    app = AppTest.from_function(expected).run()

    assert not app.exception
    [error] = app.error
    assert "is not an e" in error.value
    assert ":gray[bad_email]" in error.value
    assert "the page goes on" in app.markdown[0].value


def test_what_a_person_typed_is_shown_and_not_obeyed() -> None:
    [error] = AppTest.from_function(expected).run().error

    assert "](https" not in error.value


def test_a_bug_is_an_apology_with_a_reference_that_stands_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = AppTest.from_function(bug).run()

    [error] = app.error
    assert "canary" not in error.value
    [reference] = re.findall(r"\*\*([0-9A-F]{8})\*\*", error.value)
    [record] = [record for record in caplog.records if record.name == "portal.errors"]
    assert reference in record.getMessage()
    assert "canary" in str(record.exc_info)
    # Streamlit adds nothing of its own.
    assert "True" in app.markdown[0].value


def test_a_failure_that_no_page_caught_still_speaks_for_itself() -> None:
    [error] = AppTest.from_function(uncaught).run().error

    assert "There is no such job in this workspace" in error.value
