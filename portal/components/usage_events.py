"""The single events behind a figure, newest first."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import streamlit as st

from portal.components.heights import up_to
from services.accounts import keys, team
from services.accounts.scope import Member
from services.db import reading
from services.metering.meters import METERS
from services.metering.tables import UsageEvent


def events_table(member: Member, events: Sequence[UsageEvent], *, time_zone: str, meter: str) -> None:
    """A row for each event: when, how much, by whom, and the id under which it is sealed."""
    with reading() as db:
        people = {person.user_id: person.name for person in team.colleagues(db, member)}
        programs = {key.id: f"key {key.name}" for key in keys.list_keys(db, member)}
    zone = ZoneInfo(time_zone)
    st.dataframe(
        {
            "When": [event.at.astimezone(zone).replace(tzinfo=None) for event in events],
            "Quantity": [float(event.quantity) for event in events],
            "By": [
                programs.get(event.key_id or "") or people.get(event.user_id or "", "–") for event in events
            ],
            "Event": [event.id for event in events],
        },
        column_config={
            "When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
            "Quantity": st.column_config.NumberColumn(f"Quantity ({METERS[meter].unit}s)"),
        },
        hide_index=True,
        height=up_to(12, len(events)),
        alt="Usage events, newest first",
    )
