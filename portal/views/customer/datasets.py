"""Data sets: what there is, and how to bring more."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.dataset_list import PAGE, dataset_list, unchecked_list
from portal.components.empty import empty_state
from portal.components.file_drop import file_drop
from portal.components.files_together import files_together
from portal.components.header import page_header
from portal.components.permission import refusal
from portal.errors import shown
from services import clock
from services.accounts.scope import Member, Role
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.limits import MAX_BYTES, MAX_ROWS
from services.datasets.samples import SAMPLES, Sample
from services.db import reading, transaction

# Files that were uploaded and not yet made into data sets; older ones are forgotten drafts.
_UNCHECKED_SHOWN = 3


def take(member: Member, sample: Sample) -> None:
    """Keep a sample as if it had been uploaded, and go on to the page that checks it."""
    content = sample.read()
    stored = files.store(member, filename=sample.filename, content=content)
    with stored as kept, transaction() as db:
        upload = datasets.upload(db, member, stored=kept)
    st.switch_page(PAGE, query_params={"upload": upload.id})


member = session.member()
why_not = refusal(member, Role.editor)

page_header("Data sets", "Labelled text that models learn from.")

with reading() as db:
    known = datasets.list_datasets(db, member)
    recent = datasets.uploads(db, member)[:_UNCHECKED_SHOWN]
    unchecked = [
        upload for upload in recent if datasets.version_of_upload(db, member, upload_id=upload.id) is None
    ]

arrived = file_drop(
    f"CSV, Excel, JSON, Parquet, CoNLL or fastText, up to {MAX_BYTES // 2**20} MB and "
    f"{words.count(MAX_ROWS, 'row')}. Files for training, validation and test may come together.",
    disabled=why_not is not None,
    key="dataset_files",
)
if why_not:
    st.caption(why_not)
if len(arrived) == 1:
    st.switch_page(PAGE, query_params={"upload": arrived[0]})
if arrived:
    st.query_params["files"] = arrived
if several := st.query_params.get_all("files"):
    with shown():
        files_together(member, several)

if unchecked:
    unchecked_list(unchecked, now=clock.now())
if known:
    dataset_list(known, now=clock.now())
else:
    empty_state(
        "No data sets yet",
        "Upload a file above, or start with one of the samples below to see how it goes.",
        icon=":material/table_chart:",
    )

st.subheader("Samples to start with", anchor=False)
with st.grid(3, min_column_width=200, gap="small"):
    for sample in SAMPLES:
        with st.container(border=True, height="stretch"):
            st.markdown(f"**{sample.name}**")
            st.caption(sample.description)
            st.space("stretch")
            if st.button("Use this sample", key=sample.filename, disabled=why_not is not None, help=why_not):
                with shown():
                    take(member, sample)
