"""The row of figures at the top of a page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import streamlit as st


@dataclass(frozen=True)
class Kpi:
    """One figure as it is read; `trend` holds evenly spaced values, oldest first, drawn when they differ."""

    label: str
    value: str
    note: str = ""
    note_colour: Literal["gray", "green", "red", "orange"] = "gray"
    trend: Sequence[float] = field(default_factory=tuple)
    help: str | None = None


def kpi_row(*kpis: Kpi) -> None:
    """Up to four bordered figures of the same height, with a note and a sparkline where there is one."""
    with st.grid(len(kpis), min_column_width=170, gap="small"):
        for kpi in kpis:
            moves = len(set(kpi.trend)) > 1
            st.metric(
                kpi.label,
                kpi.value,
                delta=kpi.note or None,
                # The sparkline takes this colour too.
                delta_color="blue" if moves and kpi.note_colour == "gray" else kpi.note_colour,
                delta_arrow="off",
                help=kpi.help,
                border=True,
                height="stretch",
                chart_data=list(kpi.trend) if moves else None,
                chart_type="bar",
            )
