"""The lines of an invoice, and behind each line its events."""

import streamlit as st

from portal import format as words
from portal.components.usage_events import events_table
from portal.highlight import literal
from services.accounts.scope import Member
from services.billing import service as billing
from services.billing.invoicing import Line
from services.billing.snapshot import Snapshot
from services.db import reading
from services.metering.meters import METERS, TRAINING_SECONDS

_WIDTHS = [8, 6, 3]

_LINES_A_PAGE = 25
_EVENTS_SHOWN = 200


def invoice_lines(member: Member, shown: Snapshot, reference: str) -> None:
    """Lines, a page at a time; the one in the address stands open."""
    lines = shown.draft.lines
    pages = -(-len(lines) // _LINES_A_PAGE)
    page = st.session_state.get("lines_page", 1) if pages > 1 else 1
    opened = st.query_params.get("line")
    with st.container(border=True, gap="xsmall"):
        what, used, amount = st.columns(_WIDTHS)
        what.caption("What")
        used.caption("Quantity, day and price")
        amount.caption("Amount", text_alignment="right")
        for line in lines[(page - 1) * _LINES_A_PAGE : page * _LINES_A_PAGE]:
            _line(line, shown.draft.currency, opened=line.key == opened)
            if line.key == opened:
                _events(member, line, reference, shown.time_zone)
    if pages > 1:
        st.pagination(pages, key="lines_page")


def charge_lines(shown: Snapshot) -> None:
    """What is charged beside use: fees, minimums, corrections."""
    with st.container(border=True, gap="xsmall"):
        for charge in shown.draft.charges:
            what, when, amount = st.columns(_WIDTHS, vertical_alignment="center")
            what.markdown(literal(charge.title))
            first, last = words.day(charge.first_day), words.day(charge.last_day)
            when.markdown(f":small[:gray[{first if first == last else f'{first} to {last}'}]]")
            amount.markdown(words.amount(charge.amount), text_alignment="right")


def _line(line: Line, currency: str, *, opened: bool) -> None:
    what, quantity, amount = st.columns(_WIDTHS, vertical_alignment="center")
    with what.container(gap=None):
        st.button(
            line.title,
            icon=":material/expand_less:" if opened else ":material/expand_more:",
            help="Close" if opened else "Show the events that this line counts",
            type="tertiary",
            key=f"line:{line.key}",
            on_click=_toggle,
            args=(line.key,),
        )
        # Beside the button it would be centred where it wraps.
        st.markdown(f":small[:gray[{literal(line.name)}]]")
    first, last = words.day(line.first_day), words.day(line.last_day)
    days = first if first == last else f"{first} to {last}"
    used = words.count(line.quantity, METERS[line.meter].unit)
    quantity.markdown(
        f"{used}  \n:small[:gray[{days}, {words.price(line.price, METERS[line.meter].unit, currency)}]]"
    )
    amount.markdown(words.amount(line.amount), text_alignment="right")


def _toggle(key: str) -> None:
    if st.query_params.get("line") == key:
        del st.query_params["line"]
    else:
        st.query_params["line"] = key


def _events(member: Member, line: Line, reference: str, time_zone: str) -> None:
    with reading() as db:
        page = billing.line_events(db, member, reference=reference, line_key=line.key, limit=_EVENTS_SHOWN)
    if line.meter == TRAINING_SECONDS.name:
        st.page_link(
            "views/customer/job.py",
            label=f"The job that trained {literal(line.name)}",
            icon=":material/model_training:",
            query_params={"id": line.subject},
        )
    events_table(member, page.events, time_zone=time_zone, meter=line.meter)
    if page.next_after:
        st.caption(f"The newest {_EVENTS_SHOWN} of {line.events:,} events.")
