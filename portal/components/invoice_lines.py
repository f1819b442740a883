"""The lines of an invoice, and behind each line its events."""

from zoneinfo import ZoneInfo

import streamlit as st

from portal import format as words
from portal.components.heights import up_to
from portal.highlight import literal
from services.accounts import keys, team
from services.accounts.scope import Member
from services.billing import service as billing
from services.billing.invoicing import Line
from services.billing.snapshot import Snapshot
from services.db import reading
from services.metering.meters import METERS, TRAINING_SECONDS

_WIDTHS = [6, 3, 5, 2]
_LINES_A_PAGE = 25
_EVENTS_SHOWN = 200


def invoice_lines(member: Member, shown: Snapshot, reference: str) -> None:
    """Lines, a page at a time; the one in the address stands open."""
    lines = shown.draft.lines
    pages = -(-len(lines) // _LINES_A_PAGE)
    page = st.session_state.get("lines_page", 1) if pages > 1 else 1
    opened = st.query_params.get("line")
    with st.container(border=True, gap="xsmall"):
        titles = ("What", "When", "Quantity and price", "Amount")
        for column, title in zip(st.columns(_WIDTHS), titles, strict=True):
            column.caption(title)
        for line in lines[(page - 1) * _LINES_A_PAGE : page * _LINES_A_PAGE]:
            _line(line, shown.draft.currency, opened=line.key == opened)
            if line.key == opened:
                _events(member, line, reference, shown.time_zone)
    if pages > 1:
        st.pagination(pages, key="lines_page")


def _line(line: Line, currency: str, *, opened: bool) -> None:
    what, when, quantity, amount = st.columns(_WIDTHS, vertical_alignment="center")
    what.button(
        f"{line.title}: {literal(line.name)}",
        icon=":material/expand_less:" if opened else ":material/expand_more:",
        help="Close" if opened else "Show the events that this line counts",
        type="tertiary",
        key=f"line:{line.key}",
        on_click=_toggle,
        args=(line.key,),
        wrap=True,
    )
    first, last = words.day(line.first_day), words.day(line.last_day)
    when.markdown(f":gray[{first if first == last else f'{first} to {last}'}]")
    used = words.count(line.quantity, METERS[line.meter].unit)
    quantity.markdown(
        f"{used}  \n:small[:gray[{words.price(line.price, METERS[line.meter].unit, currency)}]]"
    )
    amount.markdown(words.amount(line.amount))


def _toggle(key: str) -> None:
    if st.query_params.get("line") == key:
        del st.query_params["line"]
    else:
        st.query_params["line"] = key


def _events(member: Member, line: Line, reference: str, time_zone: str) -> None:
    with reading() as db:
        page = billing.line_events(db, member, reference=reference, line_key=line.key, limit=_EVENTS_SHOWN)
        people = {person.user_id: person.name for person in team.colleagues(db, member)}
        programs = {key.id: f"key {key.name}" for key in keys.list_keys(db, member)}
    if line.meter == TRAINING_SECONDS.name:
        st.page_link(
            "views/customer/job.py",
            label=f"The job that trained {literal(line.name)}",
            icon=":material/model_training:",
            query_params={"id": line.subject},
        )
    zone = ZoneInfo(time_zone)
    st.dataframe(
        {
            "When": [event.at.astimezone(zone).replace(tzinfo=None) for event in page.events],
            "Quantity": [float(event.quantity) for event in page.events],
            "By": [
                programs.get(event.key_id or "") or people.get(event.user_id or "", "–")
                for event in page.events
            ],
            "Event": [event.id for event in page.events],
        },
        column_config={
            "When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
            "Quantity": st.column_config.NumberColumn(f"Quantity ({METERS[line.meter].unit}s)"),
        },
        hide_index=True,
        height=up_to(12, len(page.events)),
        alt="The events that this line counts, newest first",
    )
    if page.next_after:
        st.caption(f"The newest {_EVENTS_SHOWN} of {line.events:,} events.")
