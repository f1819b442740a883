"""What operators may do by hand to one job or one worker."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from portal import format as words
from portal import session
from portal.components.ask import ask
from portal.components.confirm import confirm
from portal.highlight import literal
from services.db import transaction
from services.jobs import operate, workers
from services.jobs.tables import Job, JobState, Worker
from services.jobs.watch import Named, Standing, WorkerState


def job_actions(jobs: Sequence[Named], *, now: datetime) -> None:
    """Choose a job, then cut its wait short, queue it again, or fail it with a sentence for its customer."""
    known = {one.job.id: one.job for one in jobs}
    called = {one.job.id: _called(one) for one in jobs}
    with st.container(border=True, gap="small"):
        chosen = st.selectbox(
            "Job",
            list(known),
            index=None,
            format_func=called.__getitem__,
            placeholder="Choose a job that waits, runs or failed",
            key="job_by_hand",
        )
        job = known[chosen] if chosen else None
        with st.container(horizontal=True):
            if st.button("Try now", icon=":material/bolt:", disabled=not _waits_for_retry(job, now)) and job:
                ask_to_hurry(job)
            failed = job is not None and job.state is JobState.failed
            if st.button("Queue again", icon=":material/replay:", disabled=not failed) and job:
                ask_to_queue_again(job)
            is_open = job is not None and not job.state.is_final
            if st.button("Fail", icon=":material/cancel:", disabled=not is_open) and job:
                ask_to_fail(job)


def worker_actions(standings: Sequence[Standing]) -> None:
    """Choose a worker to drain."""
    takes_jobs = {WorkerState.idle, WorkerState.busy}
    known = {one.worker.id: one.worker for one in standings if one.state in takes_jobs}
    called = {worker.id: f"{worker.host}, process {worker.process}" for worker in known.values()}
    with st.container(border=True, gap="small"):
        chosen = st.selectbox(
            "Worker",
            list(known),
            index=None,
            format_func=called.__getitem__,
            placeholder="Choose a worker that takes jobs",
            key="worker_by_hand",
        )
        if st.button("Drain", icon=":material/pause_circle:", disabled=chosen is None) and chosen:
            ask_to_drain(known[chosen])


def ask_to_hurry(job: Job) -> None:
    """Have a job tried again before its time."""

    def act() -> None:
        with transaction() as db:
            operate.try_now(db, session.operator(), job_id=job.id)

    confirm(
        f"Try {literal(job.model_name)} now?",
        loses="It waits so that what broke can recover. An attempt that fails too early is spent.",
        verb="Try now",
        act=act,
        done=f"{job.model_name} is tried as soon as a worker is free.",
    )


def ask_to_queue_again(job: Job) -> None:
    """Have a failed job done once more."""

    def act() -> None:
        with transaction() as db:
            operate.queue_again(db, session.operator(), job_id=job.id)

    confirm(
        f"Queue {literal(job.model_name)} again?",
        loses="A new job with the same data, recipe and quote joins the queue. The workspace pays at most "
        "the quote, and only if it succeeds. The failed job stays as it is.",
        verb="Queue again",
        act=act,
        done=f"{job.model_name} is queued again.",
    )


def ask_to_fail(job: Job) -> None:
    """End a job for its customer."""

    def act(sentence: str) -> None:
        with transaction() as db:
            operate.fail(db, session.operator(), job_id=job.id, sentence=sentence)

    ask(
        f"Fail {literal(job.model_name)}?",
        loses="The job ends for good, and nothing is billed for it. What a run has learned so far is lost.",
        label="What the customer reads on the job’s page",
        verb="Fail the job",
        act=act,
        done=f"{job.model_name} has failed.",
    )


def ask_to_drain(worker: Worker) -> None:
    """Have a worker take no more jobs."""

    def act() -> None:
        with transaction() as db:
            workers.drain(db, session.operator(), worker_id=worker.id)

    confirm(
        f"Drain {literal(worker.host)}?",
        loses="It finishes the job that it has and claims no more. To have it work again, start it anew.",
        verb="Drain",
        act=act,
        done=f"{worker.host} takes no more jobs.",
    )


def _waits_for_retry(job: Job | None, now: datetime) -> bool:
    return job is not None and job.state is JobState.queued and job.run_at > now


def _called(one: Named) -> str:
    # The browser tells a choice by these words: they must not change with time, nor fit two jobs.
    job = one.job
    since = {JobState.queued: job.created_at, JobState.running: job.started_at}.get(
        job.state, job.finished_at
    )
    at = words.moment(since or job.created_at, UTC)
    return f"{job.model_name}, {one.tenant}: {job.state.value} {at} UTC (…{job.id[-6:]})"
