"""One job as an operator sees it: its quote beside what it took, its phases, its attempts.

What the customer's rows and labels are stays on the customer's own page.
"""

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from portal import format as words
from portal.components.job_progress import failure_box, phase_badges
from portal.components.kpi import Kpi, kpi_row
from portal.components.status import status_badge
from portal.curves import story
from portal.highlight import literal
from services.jobs.history import Course
from services.jobs.tables import JobState


def job_course(course: Course) -> None:
    """Everything below the job's name."""
    job, told = course.job, story(course.events, course.job.finished_at)
    with st.container(horizontal=True, vertical_alignment="center"):
        status_badge(job.state)
        st.page_link(
            "views/admin/tenants.py",
            label=literal(course.tenant.name),
            icon=":material/domain:",
            query_params={"tenant": course.tenant.id},
        )
    if job.state is JobState.failed:
        failure_box(job)
    phase_badges(told)
    _figures(course)
    st.subheader("Attempts", anchor=False)
    if course.attempts:
        _attempts(course)
    else:
        st.caption("No worker has taken it yet.")


def _figures(course: Course) -> None:
    job, currency = course.job, course.tenant.currency
    took, share = "Not over", "–"
    if job.started_at and job.finished_at:
        seconds = (job.finished_at - job.started_at).total_seconds()
        took, share = words.duration(seconds), words.percent(seconds / max(1, job.quoted_seconds_high), 0)
    most = words.money(job.quoted_high, currency)
    kpi_row(
        Kpi(
            "Took", took, note=f"{words.about_range(job.quoted_seconds_low, job.quoted_seconds_high)} quoted"
        ),
        Kpi("Of the quote", share, note=f"of {words.duration(job.quoted_seconds_high)} at most"),
        Kpi(
            "Charged",
            "–" if job.charged is None else words.money(job.charged, currency),
            note=f"at most {most}",
        ),
        Kpi("Device", job.device or "–", note=f"quoted for {job.quoted_device_class}"),
    )


def _attempts(course: Course) -> None:
    zone = ZoneInfo(course.tenant.time_zone)
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Attempt": one.attempt,
                    "Worker": host or "gone",
                    "Claimed": words.moment(one.claimed_at, zone),
                    "Lasted": words.duration((one.ended_at - one.claimed_at).total_seconds())
                    if one.ended_at
                    else "",
                    "Ended": one.outcome.value if one.outcome else "still runs",
                    "Cause": one.failure_code or "",
                }
                for one, host in course.attempts
            ]
        ),
        hide_index=True,
        column_config={"Claimed": st.column_config.TextColumn(help=f"In {course.tenant.time_zone}.")},
        alt="Attempts of the job, oldest first",
    )
