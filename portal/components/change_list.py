"""What was done to a file's rows, each with its counts before and after, and a way back."""

from collections.abc import Callable, Sequence

import streamlit as st

from portal import format as words
from portal.highlight import literal
from services.datasets.fixes import (
    Change,
    Clean,
    Dedupe,
    DropRows,
    EditRow,
    Fix,
    MapLabels,
    MoveLeaks,
    Redact,
    Trim,
)


def change_list(
    changes: Sequence[Change], *, undo: Callable[[int], None] | None = None, why_not: str | None = None
) -> None:
    """Every change, in order; with `undo`, which is told the change's place, each can be taken back."""
    with st.container(border=True, gap="xsmall"):
        for at, change in enumerate(changes):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f":material/build: {_deed(change.fix)}  \n:small[:gray[{counts(change)}]]")
                st.space("stretch")
                if undo is not None and st.button(
                    "Undo",
                    icon=":material/undo:",
                    key=f"undo:{at}:{len(changes)}",
                    disabled=why_not is not None,
                    help=why_not,
                ):
                    undo(at)


def counts(change: Change) -> str:
    """What a fix changed, in figures."""
    told = []
    if change.rows_before != change.rows_after:
        told.append(f"rows {change.rows_before:,} → {change.rows_after:,}")
    if change.rows_changed:
        told.append(f"{words.count(change.rows_changed, 'row')} changed")
    if change.labels_before != change.labels_after:
        told.append(f"labels {change.labels_before:,} → {change.labels_after:,}")
    return ", ".join(told) or "nothing changed"


def _deed(fix: Fix) -> str:
    match fix:
        case DropRows(rows=rows):
            return f"Left out {words.count(len(rows), 'row')}"
        case Trim():
            return "Trimmed texts and labels"
        case Clean():
            return "Cleaned texts"
        case MapLabels(labels=labels):
            return "Merged labels: " + ", ".join(
                f"{literal(old)} → {literal(new)}" for old, new in list(labels.items())[:4]
            )
        case Dedupe():
            return "Kept the first of rows that are the same"
        case MoveLeaks():
            return "Moved leaking rows to train"
        case Redact(kinds=kinds):
            return "Redacted " + ", ".join(kind.value.replace("_", " ") for kind in kinds)
        case EditRow(row=row):
            return f"Changed row {row:,}"
