"""One job (`?id=`): how it goes while it goes, and what came of it."""

import streamlit as st

from portal import session
from portal.components.confirm import confirm
from portal.components.header import page_header
from portal.components.job_progress import job_progress
from portal.components.job_table import shown_state
from portal.components.permission import refusal
from portal.components.status import status_badge
from portal.highlight import literal
from portal.names import PRESET_WORDS, TASK_WORDS
from services.accounts.scope import Role
from services.datasets import service as datasets
from services.db import reading, transaction
from services.jobs import service as jobs
from services.jobs.tables import Job, JobState
from services.registry import service as registry
from services.training.recipe import Recipe

HOME = "views/customer/home.py"
REFRESH = "2s"

member = session.member()
why_not = refusal(member, Role.editor)
job_id = st.query_params.get("id")

if not job_id:
    st.switch_page(HOME)


def cancel(job_id: str) -> None:
    """Stop the job, whatever it has learned."""
    with transaction() as db:
        jobs.cancel(db, session.member(), job_id=job_id)


def keep(job_id: str) -> None:
    """End the training with what it has learned."""
    with transaction() as db:
        jobs.stop(db, session.member(), job_id=job_id)


def ask_to_cancel(job: Job) -> None:
    """Say what stopping loses, and stop when the person agrees."""
    loses = "It leaves the queue, and nothing is billed."
    if job.state is JobState.running:
        loses = "What was learned so far is thrown away and no model is made. The time until now is billed."
    if job.first_version_id is not None:
        loses = "What was learned since the first model is thrown away; that model stays. The time is billed."
    confirm(
        "Stop this job?",
        loses=loses,
        verb="Stop the job",
        act=lambda: cancel(job.id),
        done="The job is stopping.",
    )


def ask_to_keep(job: Job) -> None:
    """Say what an early end means, and end the training when the person agrees."""
    confirm(
        "Stop and keep the model?",
        loses="Training ends at the next evaluation, and the best model so far is published. "
        "It may be less good than after a whole run. The time until then is billed.",
        verb="Stop and keep",
        act=lambda: keep(job.id),
        done="Training ends soon; the model follows.",
    )


with reading() as db:
    job = jobs.get(db, member, job_id=job_id)
    version = datasets.get_version(db, member, version_id=job.dataset_version_id)
    dataset = datasets.get(db, member, dataset_id=version.dataset_id)
    made = registry.get_version(db, member, version_id=job.model_version_id) if job.model_version_id else None

recipe = Recipe.model_validate(job.recipe)
actions = page_header(
    job.model_name,
    f"{PRESET_WORDS[recipe.preset]}, {TASK_WORDS[recipe.task].lower()}, base model {recipe.base_model}",
    back=(HOME, "Home"),
)
with actions:
    if made is not None:
        address = {"id": made.model_id, "version": str(made.number)}
        if st.button("Try it", icon=":material/experiment:"):
            st.switch_page("views/customer/playground.py", query_params={"model": made.id})
        if st.button("Read the report", type="primary", icon=":material/summarize:"):
            st.switch_page("views/customer/model.py", query_params=address)
    elif job.first_version_id is not None and st.button(
        "Try the first model",
        icon=":material/experiment:",
        help="The Quick model of this job is published and answers already, while the rest goes on.",
    ):
        st.switch_page("views/customer/playground.py", query_params={"model": job.first_version_id})
    if made is None and job.state.is_final:
        again = {"dataset": job.dataset_version_id, "preset": recipe.preset.value}
        if st.button(
            "Start it again",
            type="primary",
            icon=":material/replay:",
            disabled=why_not is not None,
            help=why_not,
        ):
            st.switch_page("views/customer/new_job.py", query_params=again)
    elif made is None and job.cancel_requested_at is None:
        may_keep = job.state is JobState.running and job.stop_requested_at is None
        if may_keep and st.button(
            "Stop and keep", icon=":material/save:", disabled=why_not is not None, help=why_not
        ):
            ask_to_keep(job)
        if st.button("Stop", icon=":material/stop_circle:", disabled=why_not is not None, help=why_not):
            ask_to_cancel(job)

with st.container(horizontal=True, vertical_alignment="center"):
    status_badge(shown_state(job))
    st.page_link(
        "views/customer/dataset.py",
        label=f"{literal(dataset.name)}, version {version.number}",
        icon=":material/table_chart:",
        query_params={"id": dataset.id},
    )


def asked_of(job: Job) -> tuple[object, ...]:
    """What decides which buttons stand above."""
    return job.state, job.cancel_requested_at, job.stop_requested_at, job.first_version_id


def progress() -> None:
    """How it goes; a change of state is told by the whole page."""
    with reading() as db:
        here = session.member()
        now = jobs.get(db, here, job_id=job.id)
    if asked_of(now) != asked_of(job):
        st.rerun()
    job_progress(here, now)


if job.state in {JobState.queued, JobState.running}:
    st.fragment(run_every=REFRESH)(progress)()
else:
    job_progress(member, job)
