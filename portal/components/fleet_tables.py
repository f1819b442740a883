"""What operators see of the fleet: workers and failed jobs, one a line."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from portal import format as words
from portal.components.status import status_badge
from portal.highlight import literal
from services.reports import Failure, Fleet

_WORKER_WIDTHS = [3, 4, 2, 3]
_FAILURE_WIDTHS = [3, 3, 5, 2]


def worker_table(fleet: Fleet, *, now: datetime) -> None:
    """Workers with their device and last sign of life, those alive first."""
    with st.container(border=True, gap="xsmall"):
        _titles(_WORKER_WIDTHS, ("Host", "Device", "State", "Last seen"))
        for worker in (*fleet.alive, *fleet.silent):
            host, device, state, seen = st.columns(_WORKER_WIDTHS, vertical_alignment="center")
            host.markdown(f":small[**{literal(worker.host)}**]")
            device.markdown(f":small[{literal(worker.device_name)} :gray[{worker.device}]]")
            with state:
                status_badge("alive" if worker in fleet.alive else "silent")
            seen.caption(words.ago(min(worker.seen_at, now), now))


def failure_table(failed: Sequence[Failure], *, now: datetime) -> None:
    """Failed jobs with the sentence that the customer reads."""
    with st.container(border=True, gap="xsmall"):
        _titles(_FAILURE_WIDTHS, ("Workspace", "Model", "Why", "When"))
        for failure in failed:
            tenant, model, why, when = st.columns(_FAILURE_WIDTHS)
            job = failure.job
            tenant.markdown(f":small[{literal(failure.tenant)}]")
            model.markdown(f":small[{literal(job.model_name)}]")
            why.markdown(f":small[{literal(job.failure or '')} :gray[{job.failure_code}]]")
            when.caption(words.ago(job.finished_at or now, now))


def _titles(widths: Sequence[int], titles: Sequence[str]) -> None:
    for column, title in zip(st.columns(list(widths)), titles, strict=True):
        column.caption(title)
