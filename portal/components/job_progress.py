"""How a job goes: waiting, phases, curves, cost, log, and the reason where it failed."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import streamlit as st
from plotly import graph_objects as go

from portal import format as words
from portal.charts import loss, score
from portal.components.chart import chart
from portal.components.kpi import Kpi, kpi_row
from portal.components.trial_table import trial_table
from portal.curves import PHASE_WORDS, Story, story
from portal.highlight import literal
from portal.verdict import METRIC_NAMES, figure
from services import clock
from services.accounts import service as accounts
from services.accounts.scope import Member
from services.billing import service as billing
from services.billing.money import Money
from services.db import reading
from services.jobs import outlook
from services.jobs import service as jobs
from services.jobs.forecast import Start
from services.jobs.tables import Job, JobState

_BEST = {"accuracy": "Best accuracy", "token_likelihood": "Best token likelihood"}


def job_progress(member: Member, job: Job) -> None:
    """Everything below the job's name, as it is at this moment."""
    with reading() as db:
        told = story(jobs.events(db, member, job_id=job.id), job.finished_at)
        ahead = jobs.queue_position(db, member, job_id=job.id)
        expected = outlook.starts(db, member).get(job.id) if job.state is JobState.queued else None
        so_far = billing.training_charge(
            db, member, seconds=_seconds(job), device_class=job.device or job.quoted_device_class
        )
        zone = ZoneInfo(accounts.get_tenant(db, member).time_zone)
    with st.container():
        if job.state is JobState.failed:
            failure_box(job)
        if job.state is JobState.queued:
            _waiting(job, ahead or 0, expected)
        elif told.phases:
            _phases(job, told)
        elif job.state is JobState.running:
            st.markdown(":blue-badge[:material/progress_activity: Preparing]")
    # Each part has a place of its own: what comes in above moves none of those below, which would be drawn
    # anew.
    with st.container():
        _figures(job, told, so_far)
    with st.container():
        _curves(told)
    with st.container():
        trial_table(told)
    with st.container():
        _classes(told)
    with st.container():
        _log(told, zone)


def _seconds(job: Job) -> Decimal:
    if job.started_at is None:
        return Decimal(0)
    elapsed = (job.finished_at or clock.now()) - job.started_at
    return Decimal(round(max(0.0, elapsed.total_seconds()), 3)).quantize(Decimal("0.001"))


def failure_box(job: Job) -> None:
    """Why a job failed, as its customer reads it."""
    reason = job.failure or "The run ended without a reason."
    code = f":small[:gray[{job.failure_code or 'unknown'} · nothing is billed for this job]]"
    st.error(f"{literal(reason)}  \n{code}", icon=":material/error:")


def _waiting(job: Job, ahead: int, expected: Start | None) -> None:
    before = {0: "It is the next of your jobs.", 1: "One of your jobs starts before it."}
    place = before.get(ahead, f"{ahead} of your jobs start before it.")
    st.info(f"{_starts(expected)} {place} Waiting costs nothing.", icon=":material/schedule:")
    if job.attempt:
        st.caption(f"Attempt {job.attempt} was interrupted. The next one goes on from the last checkpoint.")


def _starts(expected: Start | None) -> str:
    if expected is None:
        return "It starts as soon as a worker is free."
    likely, late = words.about(expected.likely), words.about(expected.late)
    latest = "" if late == likely else f" (at the latest {late.removeprefix('about ')})"
    return f"It starts in {likely}{latest}."


def phase_badges(told: Story) -> None:
    """The phases of the latest attempt with what each took; nothing where none has begun."""
    parts = []
    for span in told.phases:
        word = PHASE_WORDS.get(span.phase, span.phase)
        if span.end is None:
            parts.append(f":blue-badge[:material/progress_activity: {word}]")
        else:
            took = words.duration((span.end - span.start).total_seconds())
            parts.append(f":green-badge[:material/check: {word} · {took}]")
    if parts:
        st.markdown(" ".join(parts))


def _phases(job: Job, told: Story) -> None:
    phase_badges(told)
    if not job.state.is_final:
        phase = PHASE_WORDS.get(told.phases[-1].phase, "")
        left = f", {words.about(job.eta_seconds)} left" if job.eta_seconds else ""
        st.progress(told.done, f"{phase}: {words.percent(told.done, 0)}{left}")


def _figures(job: Job, told: Story, so_far: Money) -> None:
    currency = so_far.currency
    most = words.money(job.quoted_high, currency)
    if job.charged is not None:
        price = Kpi("Price", words.money(job.charged, currency), note=f"at most {most} was quoted")
    elif job.state.is_final:
        price = Kpi("Price", words.money(0, currency), note="nothing is billed")
    else:
        price = Kpi(
            "Cost so far", words.money(min(so_far.micros, job.quoted_high), currency), note=f"at most {most}"
        )
    quoted = words.about_range(job.quoted_seconds_low, job.quoted_seconds_high)
    time = words.duration(float(_seconds(job))) if job.started_at else "Not started"
    best = max((value for _, value in told.scores), default=None)
    told_of = []
    if best is not None and (metric := told.metric):
        told_of.append(
            Kpi(
                _BEST.get(metric, f"Best {METRIC_NAMES[metric]}"),
                figure(metric, best),
                help="On the validation split, which chooses the best moment of the run.",
            )
        )
    if told.rows_per_second:
        told_of.append(Kpi("Speed", f"{words.number(told.rows_per_second)} rows/s"))
    kpi_row(
        Kpi("Time", time, note=f"{quoted} was quoted"),
        price,
        *told_of,
    )
    if not job.state.is_final and (used := _machine(told)):
        st.caption(f"Now: {used}")
    reserved = "nothing any more" if job.state.is_final else most
    actual = "still to come" if not job.state.is_final else words.money(job.charged or 0, currency)
    estimate = words.money_range(job.quoted_low, job.quoted_high, currency)
    st.caption(f"Estimated: {estimate} · Reserved: {reserved} · Charged: {actual}")


def _curves(told: Story) -> None:
    figures: dict[str, go.Figure] = {}
    # One score is a figure, not a curve, unless it is where a training begins.
    if told.metric and len(told.scores) > (0 if told.loss else 1):
        figures["score"] = score(told.scores, told.metric)
    if told.loss:
        figures["loss"] = loss(told.loss)
    if not figures:
        return
    for column, (key, drawn) in zip(st.columns(len(figures)), figures.items(), strict=True):
        with column.container(border=True, height="stretch"):
            chart(drawn, key=key)


def _classes(told: Story) -> None:
    """The worst classes first; each with its way through the evaluations so far."""
    if not told.classes:
        return
    rows = [
        {"Class": name, "F1": scores[-1], "So far": scores, "Change": scores[-1] - scores[0]}
        for name, scores in told.classes.items()
    ]
    worst = next(iter(told.classes))
    with st.expander(
        f"Each class on the validation split; the weakest is {literal(worst)}", icon=":material/sort:"
    ):
        st.dataframe(
            rows,
            hide_index=True,
            height=min(320, 38 + 35 * len(rows)),
            column_config={
                "F1": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
                "So far": st.column_config.LineChartColumn(y_min=0, y_max=1, help="At each evaluation"),
                "Change": st.column_config.NumberColumn(format="%+.2f", help="Since the first evaluation"),
            },
        )


def _machine(told: Story) -> str:
    """What the run uses, in one line; nothing where it has told nothing."""
    device, parts = told.device, []
    if "cpu_percent" in device:
        parts.append(f"processor {device['cpu_percent']:.0f} %")
    if "memory_mb" in device:
        parts.append(f"memory {device['memory_mb'] / 1024:.1f} GB")
    if "gpu_percent" in device:
        parts.append(f"GPU {device['gpu_percent']:.0f} %")
    if "gpu_memory_mb" in device:
        parts.append(f"GPU memory {device['gpu_memory_mb'] / 1024:.1f} GB")
    if told.learning_rate is not None:
        parts.append(f"learning rate {told.learning_rate:.2g}")
    return " · ".join(parts)


def _log(told: Story, zone: ZoneInfo) -> None:
    if not told.notes:
        return
    with st.expander("What the run told", icon=":material/notes:", expanded=True):
        for at, note in told.notes:
            st.markdown(f":gray[{at.astimezone(zone):%H:%M:%S}] {literal(note)}")
