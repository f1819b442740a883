"""Home: the one next step, how things stand, and the way to the latest jobs and models."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.job_table import job_table
from portal.components.kpi import Kpi, kpi_row
from portal.components.model_list import model_list
from portal.highlight import literal
from portal.next_step import Progress, Step, next_step
from services import clock
from services.accounts import keys
from services.accounts.scope import Role
from services.billing import credits as trial
from services.billing import service as billing
from services.billing.period import Month
from services.datasets import service as datasets
from services.db import reading
from services.jobs import service as jobs
from services.jobs.tables import JobState
from services.metering import service as metering
from services.metering.days import day_of, days
from services.metering.meters import PREDICTIONS
from services.registry import service as registry

RECENT_JOBS = 6

member = session.member()
tenant = session.tenant()
today = day_of(clock.now(), tenant.time_zone)
month = Month.of(clock.now(), tenant.time_zone)
month_so_far = days(month.first, today)

page_header("Home", f"How {literal(tenant.name)} is doing.")

with reading() as db:
    standings = registry.standings(db, member)
    open_jobs = jobs.open_jobs(db, member)
    uses = metering.by_day(db, member, first=month.first, last=today)
    spend = billing.month_spend(db, member)
    spend_days = billing.spend_by_day(db, member)
    credit = trial.credit_left(db, member) if trial.on_trial(db, member) else None
    progress = Progress(
        datasets=len(datasets.list_datasets(db, member)),
        models=len(standings),
        predictions=sum(use.events for use in uses if use.meter == PREDICTIONS.name),
        live_keys=sum(1 for key in keys.list_keys(db, member) if key.revoked_at is None),
        open_job_id=open_jobs[0].id if open_jobs else None,
    )


def step_card(step: Step) -> None:
    """The next step, with the page's one primary button."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        with st.container(width="stretch", gap="xsmall"):
            st.markdown(f"**:material/{step.icon}: {step.title}**")
            st.caption(step.reason)
        if st.button(step.verb, type="primary", icon=":material/arrow_forward:", icon_position="right"):
            st.switch_page(step.page, query_params={"id": step.job_id} if step.job_id else None)


def figures() -> None:
    """The month in four figures."""
    predicted = {use.day: float(use.quantity) for use in uses if use.meter == PREDICTIONS.name}
    spent = dict.fromkeys(month_so_far, 0.0)
    for part in spend_days:
        spent[part.day] += part.amount.micros / 1e6
    running = sum(1 for job in open_jobs if job.state is JobState.running)
    kpi_row(
        Kpi(
            "Models live",
            words.count(len(standings)),
            note="in production",
            help="Models that programs can call by name: each has a version in production.",
        ),
        Kpi(
            "Predictions this month",
            words.short_count(sum(predicted.values())),
            note=f"since {words.day(month.first)}",
            trend=[predicted.get(day, 0.0) for day in month_so_far],
            help="Texts answered, from the API, the playground and batch files.",
        ),
        Kpi(
            "Spend this month",
            words.amount(spend),
            note=f"{words.amount(credit)} of credit left" if credit else "before credit and tax",
            note_colour="red" if credit and credit.micros <= 0 else "gray",
            trend=list(spent.values()),
            help="What this month's use comes to so far. The invoice shows every line of it.",
        ),
        Kpi(
            "Jobs running",
            words.count(running),
            note=f"{words.count(len(open_jobs) - running)} waiting",
            help="Fine-tuning jobs at work now, and those that wait for a worker.",
        ),
    )


@st.fragment(run_every="4s" if open_jobs else None)
def recent_jobs() -> None:
    """The latest jobs, kept up to date while one of them is open."""
    here = session.member()
    with reading() as db:
        recent = jobs.recent(db, here, limit=RECENT_JOBS)
        still_open = jobs.count_open(db, here)
    if still_open < len(open_jobs):
        # One is over: models, figures and the next step have changed too.
        st.rerun()
    st.subheader("Recent jobs", anchor=False)
    if recent:
        job_table(recent, currency=tenant.currency, now=clock.now())
    else:
        empty_state(
            "No jobs yet",
            "A job turns a data set into a model. Its price and time are shown before it starts.",
            icon=":material/model_training:",
        )


def model_card() -> None:
    """The models, or what makes one."""
    st.subheader("Models", anchor=False)
    if standings:
        model_list(standings)
    else:
        empty_state(
            "No models yet",
            "The first one appears here when its job has finished.",
            icon=":material/deployed_code:",
        )


if step := next_step(progress, may_edit=member.may(Role.editor)):
    step_card(step)
figures()
with st.grid(2, min_column_width=440, gap="medium"):
    with st.container():
        recent_jobs()
    with st.container():
        model_card()
