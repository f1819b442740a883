"""What was taken back of an invoice, each with its documents."""

import streamlit as st

from portal import format as words
from portal.components.download import download_link
from portal.highlight import literal
from services.billing.notes import Note, shown
from services.billing.snapshot import Snapshot
from services.documents.semantic import missing_for


def credit_notes(notes: list[Note], issued: Snapshot) -> None:
    """A row for each credit note on the invoice that was `issued`."""
    with st.container(border=True, gap="xsmall"):
        for note in notes:
            what, when, amount, files = st.columns([6, 4, 2, 3], vertical_alignment="center")
            what.markdown(f"**{note.number}**  \n:small[:gray[{literal(note.reason)}]]")
            when.markdown(f":gray[{words.day(note.issued_on)}]")
            amount.markdown(words.amount(-note.total))
            with files, st.container(horizontal=True, horizontal_alignment="right"):
                download_link("PDF", "credit-note-pdf", note.number)
                if not missing_for(shown(note, issued)):
                    download_link("XML", "credit-note-xml", note.number)
