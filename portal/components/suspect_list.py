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
from portal.components.suspect_words import around, sentence_edits, sentences, tags_of
from portal.errors import shown
from services.accounts.scope import Member, Role
from services.datasets import relabelling
from services.datasets import service as datasets
from services.datasets.fixes import EditRow
from services.db import reading
from services.jobs import service as jobs
from services.registry.tables import ModelVersion
from services.training.reporting.report import SuspectCount
from services.training.reporting.suspects import Suspect

_PAGE = "views/customer/dataset.py"
# Where a larger share of the rows is doubted, the model is to be doubted first.
_MOST_SHARE = 0.2
_SPLITS = {"train": "Train", "validation": "Validation", "test": "Test"}


@st.fragment
def suspect_list(
    member: Member, version: ModelVersion, count: SuspectCount, doubts: Sequence[Suspect]
) -> None:
    """The doubtful rows, the most doubtful first, with the label that the data itself suggests."""
    splits = ", ".join(count.splits[:-1]) + f" and {count.splits[-1]}"
    # Of sentences single words are doubted.
    of_words = bool(doubts) and doubts[0].word is not None
    unit = "sentence" if of_words else "row"
    st.markdown(
        f"**{words.count(count.doubted, 'word' if of_words else 'label')} of "
        f"{words.count(count.checked, unit)} {'is' if count.doubted == 1 else 'are'} worth a second look**"
        if count.doubted
        else f"**None of {words.count(count.checked, unit)} looks mislabelled**"
    )
    st.caption(
        f"Confident learning (Northcutt et al. 2021) over {splits}: each {unit} was judged by a model that "
        f"had not learned from it. Some of these {'words' if of_words else 'rows'} are only hard. Tick those "
        f"whose suggested {'tag' if of_words else 'label'} is right, or choose another one."
    )
    if count.doubted > _MOST_SHARE * count.checked and not of_words:
        st.caption(
            ":material/info: So many are doubted because the model is often wrong itself. The first of them "
            "are worth reading; more rows of each label would make the rest worth it."
        )
    if not doubts:
        return
    before = _table(doubts, scores=not version.labels)
    after = st.data_editor(
        before,
        column_config={
            "Take": st.column_config.CheckboxColumn(width=55, help="Take the suggestion"),
            "Row": st.column_config.NumberColumn(width=55, disabled=True, help="The number in your file"),
            "Split": st.column_config.TextColumn(width=75, disabled=True),
            "Text": st.column_config.TextColumn(width=280, disabled=True),
            "Likely": st.column_config.ProgressColumn(
                format="%.0f %%", width=95, min_value=0, max_value=100, help="How likely it is what it is now"
            ),
            **_labels(doubts, version.labels),
        },
        hide_index=True,
        num_rows="fixed",
        height=up_to(14, len(doubts)),
        key=f"suspects:{version.id}",
    )
    edits = _edits(before, after, doubts)
    why_not = refusal(member, Role.editor)
    noun = "changed sentence" if of_words else "new label"
    if st.button(
        f"Make a data set version with {words.count(len(edits), noun)}"
        if edits
        else "Make a data set version",
        icon=":material/save:",
        disabled=not edits or why_not is not None,
        help=why_not or (None if edits else "Tick a suggestion or change a label in the table first."),
    ):
        _keep(member, version, edits)
    if of_words:
        sentences(doubts, version.labels, edits)


def _labels(doubts: Sequence[Suspect], labels: Sequence[str]) -> dict[str, Any]:
    """The columns of what a row has and what is suggested: one of the labels, several, a tag, or a score."""
    if doubts[0].word is not None:
        return {
            "Text": st.column_config.TextColumn("Word", width=280, disabled=True),
            "Label": st.column_config.SelectboxColumn(
                "Tag", width=140, options=tags_of(labels), required=True
            ),
            "Suggested": st.column_config.TextColumn(width=140, disabled=True),
        }
    if doubts[0].given is not None:
        return {
            "Label": st.column_config.MultiselectColumn(width=150, options=labels),
            "Suggested": st.column_config.MultiselectColumn(width=150, options=labels, disabled=True),
        }
    if not labels:
        return {
            "Label": st.column_config.NumberColumn("Score", width=110, required=True, format="%g"),
            "Suggested": st.column_config.NumberColumn(width=110, disabled=True, format="%.3g"),
        }
    return {
        "Label": st.column_config.SelectboxColumn(width=150, options=labels, required=True),
        "Suggested": st.column_config.TextColumn(width=150, disabled=True),
    }


def _table(doubts: Sequence[Suspect], *, scores: bool = False) -> pd.DataFrame:
    def cell(several: list[str] | None, one: str) -> object:
        return float(one) if scores else one if several is None else several

    of_words = doubts[0].word is not None
    return pd.DataFrame(
        {
            "Take": [False] * len(doubts),
            "Row": [one.row for one in doubts],
            "Split": [_SPLITS[one.split] for one in doubts],
            "Text": [around(one) if of_words else one.text for one in doubts],
            "Label": [cell(None if of_words else one.given, one.label) for one in doubts],
            "Suggested": [cell(one.better, one.suggested) for one in doubts],
            "Likely": [one.own * 100 for one in doubts],
        }
    )


def _edits(before: pd.DataFrame, after: pd.DataFrame, doubts: Sequence[Suspect]) -> list[EditRow]:
    changed = {}
    for place, (old, new) in enumerate(zip(before.to_dict("records"), after.to_dict("records"), strict=True)):
        # A label that was chosen by hand counts more than a tick.
        chosen = _named(new["Label"])
        if chosen != _named(old["Label"]):
            changed[place] = chosen
        elif new["Take"]:
            changed[place] = _named(old["Suggested"])
    if doubts[0].word is not None:
        return sentence_edits(doubts, {place: tag for place, (tag,) in changed.items()})
    return [EditRow(row=doubts[place].row, labels=labels) for place, labels in changed.items()]


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
