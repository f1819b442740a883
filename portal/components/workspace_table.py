"""Every workspace with its month, one a line; a line can be pressed."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from portal import format as words
from services import clock
from services.reports import TenantReport

_RIGHT = st.column_config.TextColumn


def workspace_table(rows: Sequence[TenantReport]) -> str | None:
    """The table; gives the id of the workspace that was pressed."""
    now = clock.now()
    chosen = st.dataframe(
        pd.DataFrame(
            [
                {
                    "Workspace": row.tenant.name,
                    "State": _state(row),
                    "Spend": words.amount(row.spend),
                    "Earned": words.amount(row.earned),
                    "Open jobs": row.waiting + row.running,
                    "Last use": "never" if row.last_use is None else words.ago(row.last_use, now),
                }
                for row in rows
            ]
        ),
        hide_index=True,
        key="workspaces",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Spend": _RIGHT(alignment="right", help="Use at list price, before credit."),
            "Earned": _RIGHT(alignment="right", help="What credit leaves of the spend."),
        },
        alt="Workspaces, those that earn most first",
    )
    places = chosen["selection"]["rows"]
    return rows[places[0]].tenant.id if places else None


def _state(row: TenantReport) -> str:
    if row.tenant.suspended_at is not None:
        return "Suspended"
    return "Pays" if row.credit is None else f"Trial, {words.amount(row.credit)} left"
