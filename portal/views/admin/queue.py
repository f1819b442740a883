"""Queue and workers: what waits, runs and fails, who works, and what can be done by hand."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.chart import chart
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.kpi import Kpi, kpi_row
from portal.components.queue_actions import job_actions, worker_actions
from portal.components.queue_tables import (
    cause_table,
    figures_note,
    running_table,
    stuck_list,
    waiting_table,
    worker_table,
)
from portal.use_charts import busy_hours
from services.db import reading
from services.jobs import history, watch
from services.jobs.stuck import Stuck, stuck
from services.jobs.watch import Floor

REFRESH = "5s"

session.operator()
page_header("Queue and workers", "What waits, what runs, what does not get on, and who is there to do it.")
with reading() as db:
    busy = history.busy(db, session.operator())
    causes = history.causes(db, session.operator())
    at_hand = watch.within_reach(db, session.operator())
    first = watch.floor(db, session.operator())


def figures(floor: Floor, needy: list[Stuck]) -> None:
    """The moment in four figures."""
    kpi_row(
        Kpi("Waiting", words.count(sum(line.waiting for line in floor.lines)), note=figures_note(floor)),
        Kpi(
            "Running",
            words.count(len(floor.running)),
            note=f"{words.count(floor.serving, 'worker')} taking jobs",
            note_colour="gray" if floor.serving else "red",
        ),
        Kpi(
            "Stuck",
            words.count(sum(one.jobs for one in needy)),
            note="needs somebody" if needy else "all gets on",
            note_colour="red" if needy else "gray",
        ),
        Kpi(
            "Busy in 24 h",
            "–" if busy.overall is None else words.percent(busy.overall, 0),
            note="of workers’ time",
        ),
    )


@st.fragment(run_every=REFRESH)
def standing() -> None:
    """Queue and workers as they are now."""
    with reading() as db:
        floor = watch.floor(db, session.operator())
    needy = stuck(floor)
    figures(floor, needy)
    if needy:
        st.subheader("Stuck", anchor=False)
        stuck_list(needy, now=floor.now)
    st.subheader("Waiting", anchor=False)
    if floor.lines:
        waiting_table(floor.lines, now=floor.now)
    else:
        st.caption("Nobody waits.")
    st.subheader("Running", anchor=False)
    if floor.running:
        running_table(floor.running, now=floor.now)
    else:
        st.caption("Nothing runs.")
    st.subheader("Workers", anchor=False)
    if floor.workers:
        worker_table(floor.workers, busy.of_worker, now=floor.now)
    else:
        empty_state("No workers", "Start one with `tuneport serve worker`.", icon=":material/memory:")


standing()
st.subheader("By hand", anchor=False)
with st.grid(2, min_column_width=440, gap="medium"):
    job_actions(at_hand, now=first.now)
    worker_actions(first.workers)
with st.grid(2, min_column_width=440, gap="medium"):
    with st.container():
        st.subheader("Failures by cause", anchor=False)
        if causes:
            cause_table(causes, now=first.now)
        else:
            st.caption("No job failed and no attempt was repeated in the last seven days.")
    with st.container():
        st.subheader("Use of the workers", anchor=False)
        if busy.overall is None:
            st.caption("No worker was alive in the last 24 hours.")
        else:
            with st.container(border=True):
                chart(busy_hours(busy.hours, busy.overall), key="busy_hours")
