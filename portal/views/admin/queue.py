"""Queue and workers: what waits, runs and fails, who works, what can be done by hand; one job (`?job=`)."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.chart import chart
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.job_course import job_course
from portal.components.kpi import Kpi, kpi_row
from portal.components.queue_actions import job_actions, worker_actions
from portal.components.queue_tables import (
    cause_table,
    figures_note,
    quote_table,
    running_table,
    stuck_list,
    waiting_table,
    worker_table,
)
from portal.names import PRESET_WORDS, TASK_WORDS
from portal.use_charts import busy_hours
from services.db import reading
from services.jobs import history, watch
from services.jobs.history import Busy
from services.jobs.quotes import Kept
from services.jobs.stuck import Stuck, stuck
from services.jobs.watch import Floor
from services.training.recipe import Recipe

PAGE = "views/admin/queue.py"
REFRESH = "5s"


def figures(floor: Floor, needy: list[Stuck], busy: Busy) -> None:
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
def standing(busy: Busy) -> None:
    """Queue and workers as they are now; `busy` tells of the last day."""
    with reading() as db:
        floor = watch.floor(db, session.operator())
    needy = stuck(floor)
    figures(floor, needy, busy)
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


def quotes_kept(kept: list[Kept]) -> None:
    """What runs took beside what was quoted for them; a pressed line leads to its worst run."""
    st.subheader("Quotes kept", anchor=False)
    if not kept:
        st.caption("No run has made a model in the last 30 days, so no quote has been put to the test.")
        return
    runs, within = sum(one.runs for one in kept), sum(one.within for one in kept)
    st.caption(
        f"{words.count(within)} of {words.count(runs, 'run')} of the last 30 days took no longer than was "
        "quoted at most. Choose a line to see its worst run."
    )
    pressed = quote_table(kept)
    if pressed is not None:
        st.query_params["job"] = pressed
        st.rerun()


def whole_floor() -> None:
    """All that there is to see and to do."""
    # The link back to the same page leaves the address as it was: a reload would open the job again.
    st.query_params.from_dict(st.query_params.to_dict())
    page_header(
        "Queue and workers", "What waits, what runs, what does not get on, and who is there to do it."
    )
    with reading() as db:
        busy = history.busy(db, session.operator())
        causes = history.causes(db, session.operator())
        kept = history.quotes_kept(db, session.operator())
        at_hand = watch.within_reach(db, session.operator())
        first = watch.floor(db, session.operator())
    standing(busy)
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
    quotes_kept(kept)


def one_job(job_id: str) -> None:
    """What became of one job."""
    with reading() as db:
        course = history.course(db, session.operator(), job_id=job_id)
    recipe = Recipe.model_validate(course.job.recipe)
    page_header(
        course.job.model_name,
        f"{PRESET_WORDS[recipe.preset]}, {TASK_WORDS[recipe.task].lower()}, base model {recipe.base_model}",
        back=(PAGE, "Queue and workers"),
    )
    job_course(course)


session.operator()
if chosen := st.query_params.get("job"):
    one_job(chosen)
else:
    whole_floor()
