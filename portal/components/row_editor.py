"""Single rows of a file, found by what was found in them or by their words, and changed in place."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from portal.components.examples import example_rows
from portal.components.heights import up_to
from services.datasets.examples import Example, MultiLabelExample, PairExample, TextExample
from services.datasets.fixes import EditRow

_SHOWN = 12
_BETWEEN = ", "


def row_editor(
    rows: Sequence[Example],
    labels: Sequence[str],
    *,
    key: str,
    why_not: str | None,
    keep: Callable[[list[EditRow]], None],
) -> None:
    """A table whose texts and labels can be changed; `keep` is given what was."""
    editable = [row for row in rows if isinstance(row, TextExample | MultiLabelExample | PairExample)]
    if not rows:
        st.caption("No such rows.")
        return
    if not editable or why_not is not None:
        example_rows(rows, labels, shown=_SHOWN)
        return
    before = _table(editable)
    after = st.data_editor(
        before,
        column_config={
            "Row": st.column_config.NumberColumn(
                width=70, disabled=True, help="The row's number in your file"
            ),
            "Text": st.column_config.TextColumn(
                width=760, required=True, disabled=isinstance(editable[0], PairExample)
            ),
            "Label": _label_column(editable[0], labels),
        },
        hide_index=True,
        num_rows="fixed",
        height=up_to(_SHOWN, len(editable)),
        key=f"editor:{key}",
    )
    edits = _edits(before, after, several=isinstance(editable[0], MultiLabelExample))
    if st.button(
        "Keep the changes" if len(edits) != 1 else "Keep the change",
        icon=":material/save:",
        disabled=not edits,
        help=None if edits else "Change a text or a label in the table first.",
    ):
        keep(edits)


def _table(rows: Sequence[Example]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Row": [row.row for row in rows],
            "Text": [row.text for row in rows],
            "Label": [_BETWEEN.join(row.labels) for row in rows],
        }
    )


def _label_column(row: Example, labels: Sequence[str]) -> Any:
    if isinstance(row, MultiLabelExample):
        return st.column_config.TextColumn(width=240, help="Labels with commas between them.")
    return st.column_config.SelectboxColumn(width=240, options=list(labels), required=True)


def _edits(before: pd.DataFrame, after: pd.DataFrame, *, several: bool) -> list[EditRow]:
    """A fix for every row that is different now, with what is different of it."""
    edits = []
    for old, new in zip(before.to_dict("records"), after.to_dict("records"), strict=True):
        text = None if new["Text"] == old["Text"] else str(new["Text"])
        labels = None if new["Label"] == old["Label"] else _labels(str(new["Label"]), several=several)
        if text is not None or labels is not None:
            edits.append(EditRow(row=int(old["Row"]), text=text, labels=labels))
    return edits


def _labels(cell: str, *, several: bool) -> tuple[str, ...]:
    if not several:
        return (cell,)
    return tuple(label.strip() for label in cell.split(",") if label.strip())
