"""Jobs, one a line, each with the way to its own page."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from portal import format as words
from portal.components.status import status_badge
from services.jobs.tables import Job, JobState

_WIDTHS = [4.9, 2.9, 3.2, 2.3]


def job_table(jobs: Sequence[Job], *, currency: str, now: datetime) -> None:
    """Jobs with their state, progress and price, in the order given."""
    with st.container(border=True, gap="xsmall"):
        for column, title in zip(
            st.columns(_WIDTHS, gap="xsmall"), ("Job", "State", "When", "Price"), strict=True
        ):
            column.caption(title)
        for job in jobs:
            name, state, when, price = st.columns(_WIDTHS, gap="xsmall", vertical_alignment="center")
            with name:
                st.page_link(
                    "views/customer/job.py",
                    label=job.model_name,
                    query_params={"id": job.id},
                )
            with state:
                status_badge(shown_state(job))
            when.caption(_when(job, now))
            price.markdown(f":small[{_price(job, currency)}]")


def shown_state(job: Job) -> str:
    """The job's state as people see it: one that was asked to end and still runs is stopping or finishing."""
    if job.state is JobState.running and job.cancel_requested_at is not None:
        return "stopping"
    if job.state is JobState.running and job.stop_requested_at is not None:
        return "finishing"
    return job.state.value


def _when(job: Job, now: datetime) -> str:
    if job.state is JobState.running:
        left = f", {words.about(job.eta_seconds)} left" if job.eta_seconds else ""
        return f"{words.percent(job.progress, 0)}{left}"
    if job.state is JobState.queued:
        return f"waiting, {words.ago(job.created_at, now)}"
    over = words.ago(job.finished_at or job.created_at, now)
    if job.started_at is None or job.finished_at is None:
        return over
    return f"{over} in {words.rough((job.finished_at - job.started_at).total_seconds())}"


def _price(job: Job, currency: str) -> str:
    if job.charged is not None:
        return words.money(job.charged, currency)
    if job.state.is_final:
        return ":gray[nothing]"
    return f":gray[up to {words.money(job.quoted_high, currency)}]"
