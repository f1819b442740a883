"""Rows that could not be used, by reason."""

from collections.abc import Sequence

import streamlit as st

from services.datasets.preview import DroppedGroup

_NUMBERS_SHOWN = 12


def row_sum(rows_in: int, rows_used: int) -> None:
    """That every row of the file is accounted for."""
    st.markdown(
        f"**{rows_in:,}** rows in the file = **{rows_used:,}** used + **{rows_in - rows_used:,}** left out"
    )


def dropped_table(groups: Sequence[DroppedGroup]) -> None:
    """A line for each reason, with the numbers of the first rows in the file."""
    st.dataframe(
        {
            "Reason": [group.reason for group in groups],
            "Rows": [group.count for group in groups],
            "Row numbers": [_numbers(group) for group in groups],
        },
        column_config={"Rows": st.column_config.NumberColumn(width=80)},
        hide_index=True,
        alt="Rows that were left out, by reason",
    )


def _numbers(group: DroppedGroup) -> str:
    if not group.rows:
        return "in the file below"
    numbers = ", ".join(f"{row:,}" for row in group.rows[:_NUMBERS_SHOWN])
    return f"{numbers}, …" if group.count > _NUMBERS_SHOWN else numbers
