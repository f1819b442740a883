"""What operators see of the queue: who waits, what runs, what is stuck, who works, and why jobs failed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from portal import format as words
from portal.components.heights import up_to
from portal.curves import PHASE_WORDS
from portal.highlight import literal
from portal.names import PRESET_WORDS, TASK_WORDS
from services.jobs.history import DAY, Cause
from services.jobs.quotes import Kept
from services.jobs.stuck import Stuck, Why
from services.jobs.watch import Floor, Line, Running, Standing
from services.training.recipe import Preset, Task

_ROWS_SHOWN = 10
_OF_QUOTE = "Time that it took, of the most that was quoted. What is beyond is not billed."
_WHY = {
    Why.doubted: "Its worker has not renewed the lease. Another worker takes it over shortly.",
    Why.quiet: "Its run has told nothing for long. Look at the worker’s log; fail the job if it hangs.",
    Why.unknown: "No worker knows this kind of job. Start a worker of the release that made it.",
    Why.unserved: "No worker is alive that takes jobs. Start one.",
}


def stuck_list(stuck: Sequence[Stuck], *, now: datetime) -> None:
    """What does not get on by itself, and what to do about it."""
    with st.container(border=True, gap="small"):
        for one in stuck:
            what = one.model or words.count(one.jobs, "waiting job")
            st.markdown(
                f":red[:material/priority_high:] **{literal(what)}** of {literal(one.tenant)}, "
                f"for {_span(now, one.since)}: {_WHY[one.why]}"
            )


def waiting_table(lines: Sequence[Line], *, now: datetime) -> None:
    """Workspaces with waiting jobs, whoever waits longest first."""
    _table(
        [
            {
                "Workspace": line.tenant.name,
                "Waiting": line.waiting,
                "Longest wait": _span(now, line.due_since),
                "Turn": _turn(line),
                "Running": f"{line.running} of {line.tenant.running_job_limit}",
                "Weight": line.tenant.share_weight,
            }
            for line in lines
        ],
        "Waiting by workspace",
        {
            "Turn": st.column_config.TextColumn(help="Who is served next, by weight and past turns."),
            "Running": st.column_config.TextColumn(help="Of the jobs that the workspace may run at once."),
        },
    )


def _turn(line: Line) -> str:
    if line.tenant.suspended_at is not None:
        return "suspended"
    if line.running >= line.tenant.running_job_limit:
        return "at its limit"
    if line.turn is None:
        return "unknown kind" if line.unknown == line.waiting else "not due yet"
    return "next" if line.turn == 1 else f"number {line.turn}"


def running_table(running: Sequence[Running], *, now: datetime) -> None:
    """Running jobs, whatever runs longest first."""
    _table(
        [
            {
                "Job": one.job.model_name,
                "Workspace": one.tenant,
                "Worker": one.host or "gone",
                "Phase": PHASE_WORDS.get(one.job.phase or "", "Preparing"),
                "Done": round(one.job.progress, 2),
                "Runs for": _span(now, one.job.started_at or now),
                "Quoted": words.about_range(one.job.quoted_seconds_low, one.job.quoted_seconds_high),
                "Lease renewed": _renewed(one, now),
            }
            for one in running
        ],
        "Running jobs",
        {"Done": _share(help="Of the present phase.")},
    )


def worker_table(workers: Sequence[Standing], busy: dict[str, float], *, now: datetime) -> None:
    """Workers that are about, with the share of the last 24 hours in which each had a job."""
    _table(
        [
            {
                "Worker": one.worker.host,
                "Process": str(one.worker.process),
                "Device": f"{one.worker.device_name} ({one.worker.device})",
                "State": one.state.value,
                "Job": f"{one.running.job.model_name}, {one.running.tenant}" if one.running else "",
                "Lease renewed": _renewed(one.running, now) if one.running else "",
                "Last seen": words.ago(min(one.worker.seen_at, now), now),
                "Busy in 24 h": round(busy.get(one.worker.id, 0.0), 2),
            }
            for one in workers
        ],
        "Workers",
        {
            "State": st.column_config.TextColumn(help="Idle, busy, draining or silent."),
            "Busy in 24 h": _share(help="Of the time that the process was alive."),
        },
    )


def cause_table(causes: Sequence[Cause], *, now: datetime) -> None:
    """Failure codes of the last week: jobs that they ended, and attempts that were made again."""
    _table(
        [
            {
                "Cause": cause.code,
                "Failed 24 h": sum(at > now - DAY for at in cause.failed),
                "Failed 7 d": len(cause.failed),
                "Again 24 h": sum(at > now - DAY for at in cause.repeated),
                "Again 7 d": len(cause.repeated),
                "Last": words.ago(min(cause.last_at, now), now),
            }
            for cause in causes
        ],
        "Failures by cause",
        {
            name: st.column_config.NumberColumn(help=meaning)
            for name, meaning in {
                "Failed 24 h": "Jobs that ended by it.",
                "Failed 7 d": "Jobs that ended by it.",
                "Again 24 h": "Attempts after which the job was tried again.",
                "Again 7 d": "Attempts after which the job was tried again.",
            }.items()
        },
    )


def quote_table(kept: Sequence[Kept]) -> str | None:
    """How quotes were kept, the worst first; gives the id of the worst job of the line that was pressed."""
    chosen = st.dataframe(
        pd.DataFrame(
            [
                {
                    "Preset": PRESET_WORDS[Preset(one.preset)],
                    "Task": TASK_WORDS[Task(one.task)],
                    "Within": f"{one.within} of {one.runs}",
                    "Median": words.percent(one.typical, 0),
                    "Worst": words.percent(one.worst.share, 0),
                    "Worst run": f"{one.worst.model}, {one.worst.tenant}",
                }
                for one in kept
            ]
        ),
        hide_index=True,
        key="quotes",
        on_select="rerun",
        selection_mode="single-row",
        height=up_to(_ROWS_SHOWN, len(kept)),
        column_config={
            "Within": st.column_config.TextColumn(
                alignment="right", help="Runs that took no longer than was quoted at most."
            ),
            "Median": st.column_config.TextColumn(alignment="right", help=_OF_QUOTE),
            "Worst": st.column_config.TextColumn(alignment="right", help=_OF_QUOTE),
        },
        alt="Runs beside their quotes, by preset and task",
    )
    places = chosen["selection"]["rows"]
    return kept[places[0]].worst.job_id if places else None


def figures_note(floor: Floor) -> str:
    """How long the job waits that waits longest."""
    due = [line.due_since for line in floor.lines if line.due_since <= floor.now]
    return f"longest {_span(floor.now, min(due))}" if due else "nobody waits"


def _table(rows: list[dict[str, object]], alt: str, columns: Mapping[str, ColumnConfig]) -> None:
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height=up_to(_ROWS_SHOWN, len(rows)),
        column_config=columns,
        alt=alt,
    )


def _share(*, help: str) -> ColumnConfig:  # noqa: A002
    return st.column_config.ProgressColumn(format="percent", min_value=0.0, max_value=1.0, help=help)


def _renewed(running: Running, now: datetime) -> str:
    return f"{words.rough(max(0.0, (now - running.renewed_at).total_seconds()))} ago"


def _span(now: datetime, since: datetime) -> str:
    return words.duration(max(0.0, (now - since).total_seconds()))
