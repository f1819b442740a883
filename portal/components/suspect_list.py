"""Rows whose label is probably wrong, mended in place; what was mended becomes a new data set version."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.components.heights import up_to
from portal.components.notice import announce
from portal.components.permission import refusal
from portal.errors import shown
from portal.highlight import literal
from services.accounts.scope import Member, Role
from services.datasets import relabelling
from services.datasets import service as datasets
from services.datasets.fixes import EditRow
from services.db import reading
from services.jobs import service as jobs
from services.registry.tables import ModelVersion
from services.training.report import SuspectCount
from services.training.suspects import Suspect

_PAGE = "views/customer/dataset.py"
_SPLITS = {"train": "Train", "validation": "Validation", "test": "Test"}


@st.fragment
def suspect_list(
    member: Member, version: ModelVersion, count: SuspectCount, doubts: Sequence[Suspect]
) -> None:
    """The doubtful rows, the most doubtful first, with the label that the data itself suggests."""
    splits = ", ".join(count.splits[:-1]) + f" and {count.splits[-1]}"
    st.markdown(
        f"**{words.count(count.doubted, 'label')} of {words.count(count.checked, 'row')} are probably wrong**"
        if count.doubted
        else f"**None of {words.count(count.checked, 'row')} looks mislabelled**"
    )
    st.caption(
        f"Confident learning (Northcutt et al. 2021) over {splits}: each row was judged by a model that had "
        "not learned from it. Some of these rows are only hard. Tick those whose suggested label is right, "
        "or choose another one."
    )
    if not doubts:
        return
    if doubts[0].tokens:
        _words(doubts)
        return
    before = _table(doubts, scores=not version.labels)
    after = st.data_editor(
        before,
        column_config={
            **_labels(doubts, version.labels),
            "Take": st.column_config.CheckboxColumn(width=60, help="Take the suggested label"),
            "Row": st.column_config.NumberColumn(width=70, disabled=True, help="The number in your file"),
            "Split": st.column_config.TextColumn(width=90, disabled=True),
            "Text": st.column_config.TextColumn(width="large", disabled=True),
            "Likely": st.column_config.ProgressColumn(
                format="%.1f %%", min_value=0, max_value=100, help="How likely the label is that it has"
            ),
        },
        hide_index=True,
        num_rows="fixed",
        height=up_to(14, len(doubts)),
        key=f"suspects:{version.id}",
    )
    edits = _edits(before, after)
    why_not = refusal(member, Role.editor)
    if st.button(
        f"Make a data set version with {words.count(len(edits), 'new label')}"
        if edits
        else "Make a data set version",
        icon=":material/save:",
        disabled=not edits or why_not is not None,
        help=why_not or (None if edits else "Tick a suggestion or change a label in the table first."),
    ):
        _keep(member, version, edits)


def _labels(doubts: Sequence[Suspect], labels: Sequence[str]) -> dict[str, Any]:
    """The columns of what a row has and what is suggested: one of the labels, several, or a score."""
    if doubts[0].given is not None:
        return {
            "Label": st.column_config.MultiselectColumn(width=210, options=labels),
            "Suggested": st.column_config.MultiselectColumn(width=210, options=labels, disabled=True),
        }
    if not labels:
        return {
            "Label": st.column_config.NumberColumn("Score", width=110, required=True, format="%g"),
            "Suggested": st.column_config.NumberColumn(width=110, disabled=True, format="%.3g"),
        }
    return {
        "Label": st.column_config.SelectboxColumn(width=210, options=labels, required=True),
        "Suggested": st.column_config.TextColumn(width=210, disabled=True),
    }


def _table(doubts: Sequence[Suspect], *, scores: bool = False) -> pd.DataFrame:
    def cell(several: list[str] | None, one: str) -> object:
        return float(one) if scores else one if several is None else several

    return pd.DataFrame(
        {
            "Take": [False] * len(doubts),
            "Row": [one.row for one in doubts],
            "Split": [_SPLITS[one.split] for one in doubts],
            "Text": [one.text for one in doubts],
            "Label": [cell(one.given, one.label) for one in doubts],
            "Suggested": [cell(one.better, one.suggested) for one in doubts],
            "Likely": [one.own * 100 for one in doubts],
        }
    )


def _words(doubts: Sequence[Suspect]) -> None:
    """Words of sentences, marked where they stand; sentences are mended in the data set."""
    with st.container(border=True, gap="xsmall", height=520):
        for one in doubts:
            tokens = [literal(token) for token in one.tokens or []]
            if one.word is not None:
                tokens[one.word] = f":orange-background[{tokens[one.word]}]"
            st.markdown(
                f":small[:gray[{one.row:,}]] {' '.join(tokens)}  \n"
                f":small[:gray[tagged] {literal(one.label)} :gray[, more likely] {literal(one.suggested)} "
                f":gray[({one.other:.0%})]]"
            )


def _edits(before: pd.DataFrame, after: pd.DataFrame) -> list[EditRow]:
    edits = []
    for old, new in zip(before.to_dict("records"), after.to_dict("records"), strict=True):
        # A label that was chosen by hand counts more than a tick.
        chosen = _named(new["Label"])
        if chosen != _named(old["Label"]):
            edits.append(EditRow(row=int(old["Row"]), labels=chosen))
        elif new["Take"]:
            edits.append(EditRow(row=int(old["Row"]), labels=_named(old["Suggested"])))
    return edits


def _named(cell: str | float | Sequence[str]) -> tuple[str, ...]:
    """The labels of a cell, of which there may be any number."""
    return (str(cell),) if isinstance(cell, str | float) else tuple(map(str, cell))


def _keep(member: Member, version: ModelVersion, edits: list[EditRow]) -> None:
    with shown():
        with reading() as db:
            job = jobs.get(db, member, job_id=version.job_id)
            data = datasets.get_version(db, member, version_id=job.dataset_version_id)
        with st.spinner("Making the new version …"):
            made = relabelling.relabelled(session.member(), data, edits=edits)
        announce(f"Version {made.number} has the new labels. Train on it to see what they bring.")
        st.switch_page(_PAGE, query_params={"id": made.dataset_id})
