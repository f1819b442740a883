"""The operators’ overview: what needs somebody, the month, queue and workers."""

import streamlit as st

from portal import format as words
from portal import session
from portal.attention import notices
from portal.components.empty import empty_state
from portal.components.fleet_tables import failure_table, worker_table
from portal.components.header import page_header
from portal.components.kpi import Kpi, kpi_row
from portal.highlight import literal
from services import clock, reports
from services.db import reading

URGENCY = {"now": ":red[:material/priority_high:]", "today": ":orange[:material/info:]"}


session.operator()
page_header("Overview", "All workspaces at a glance. Amounts are this month’s, before tax.")
with reading() as db:
    rows = reports.tenants(db, session.operator())


@st.fragment(run_every="10s")
def standing() -> None:
    """The figures, what needs somebody, workers and failures, as they are now."""
    with reading() as db:
        fleet = reports.fleet(db, session.operator())
        failed = reports.failures(db, session.operator())
    now = clock.now()
    wait = fleet.longest_wait(now).total_seconds()
    earned, others = words.leading(reports.revenue(rows))
    kpi_row(
        Kpi(
            "Revenue this month",
            earned,
            note=", ".join(filter(None, (others, f"{words.amounts(reports.use(rows))} before credit"))),
        ),
        Kpi(
            "Active workspaces",
            words.count(sum(1 for row in rows if row.spend.micros)),
            note=f"of {words.count(len(rows))}",
            help="Workspaces with use this month.",
        ),
        Kpi(
            "Jobs waiting",
            words.count(len(fleet.waiting)),
            note=f"{words.count(len(fleet.running))} running"
            + (f", longest wait {words.duration(wait)}" if fleet.waiting else ""),
        ),
        Kpi(
            "Workers alive",
            words.count(len(fleet.alive)),
            note=f"{words.count(len(fleet.silent))} silent" if fleet.silent else "none silent",
            note_colour="red" if fleet.silent else "gray",
        ),
    )

    st.subheader("Needs attention", anchor=False)
    with st.container(border=True, gap="small"):
        found = notices(fleet, failed, rows, now)
        for notice in found:
            st.markdown(f"{URGENCY[notice.urgency]} {literal(notice.sentence)}")
        if not found:
            st.markdown(":green[:material/check_circle:] All is well: nothing waits long, no worker is lost.")

    with st.grid(2, min_column_width=440, gap="medium"):
        with st.container():
            st.subheader("Workers", anchor=False)
            if fleet.alive or fleet.silent:
                worker_table(fleet, now=now)
            else:
                empty_state("No workers", "Start one with `tuneport serve worker`.", icon=":material/memory:")
        with st.container():
            st.subheader("Failed in the last 24 hours", anchor=False)
            if failed:
                failure_table(failed, now=now)
            else:
                empty_state("No failures", "Jobs that fail are listed here.", icon=":material/task_alt:")


standing()
