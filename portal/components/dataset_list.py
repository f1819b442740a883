"""Data sets, one a line, each with the way to its own page."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from portal import format as words
from portal.health import badge
from portal.highlight import literal
from portal.names import TASK_WORDS, noun_of_labels
from services.datasets.tables import Dataset, DatasetVersion, Upload
from services.training.recipe import Task

PAGE = "views/customer/dataset.py"
_WIDTHS = [5, 3, 2, 2]
_TITLES = ("Data set", "Rows", "Health", "Added")


def dataset_list(datasets: Sequence[tuple[Dataset, DatasetVersion]], *, now: datetime) -> None:
    """Data sets with the figures of their latest version, in the order given."""
    with st.container(border=True, gap="xsmall"):
        for column, title in zip(st.columns(_WIDTHS), _TITLES, strict=True):
            column.caption(title)
        for dataset, version in datasets:
            name, rows, health, added = st.columns(_WIDTHS, vertical_alignment="center")
            name.page_link(
                PAGE,
                label=literal(dataset.name),
                icon=":material/table_chart:",
                query_params={"id": dataset.id},
            )
            labels = words.count(len(version.labels), noun_of_labels(version.task))
            rows.markdown(
                f"{version.rows_used:,}, {labels}  \n:small[:gray[{TASK_WORDS[Task(dataset.task)]}]]"
            )
            with health:
                finding = badge(version)
                st.badge(finding.word, color=finding.colour, help=finding.sentence)
            added.markdown(f":gray[{words.ago(version.created_at, now)}]")


def unchecked_list(uploads: Sequence[Upload], *, now: datetime) -> None:
    """Files that wait for somebody to check how they were understood."""
    with st.container(border=True, gap="xsmall"):
        st.caption("Uploaded, not yet a data set")
        for upload in uploads:
            name, added = st.columns([11, 2], vertical_alignment="center")
            name.page_link(
                PAGE,
                label=f"Check {literal(upload.filename)}",
                icon=":material/pending_actions:",
                query_params={"upload": upload.id},
            )
            added.markdown(f":gray[{words.ago(upload.created_at, now)}]")
