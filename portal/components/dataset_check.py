"""An uploaded file before it becomes a data set: how we understood it, what it would make, and the way on."""

from pathlib import PurePath

import streamlit as st

from portal import session
from portal.charts import label_balance
from portal.components.chart import chart
from portal.components.confirm import confirm
from portal.components.dataset_list import PAGE
from portal.components.dropped_rows import dropped_table, row_sum
from portal.components.examples import example_rows
from portal.components.header import page_header
from portal.components.kpi import Kpi, kpi_row
from portal.components.notice import announce
from portal.components.permission import refusal
from portal.components.reading_form import reading_form
from portal.errors import show, shown
from portal.highlight import literal
from portal.names import noun_of_labels
from services import storage
from services.accounts.scope import Member, Role
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.formats import Format
from services.datasets.preview import DEFAULT_SEED, Preview, preview
from services.datasets.samples import SAMPLES
from services.datasets.tables import Dataset, Upload
from services.db import reading, transaction
from services.training.recipe import Task

LIST = "views/customer/datasets.py"
_NEW = "new"


def dataset_check(member: Member, upload_id: str) -> None:
    """The page of an upload."""
    with reading() as db:
        upload = datasets.get_upload(db, member, upload_id=upload_id)
        known = [dataset for dataset, _ in datasets.list_datasets(db, member)]
        name = datasets.free_name(db, member, wanted=_readable(upload.filename))
    actions = page_header(
        upload.filename,
        "We guessed how to read this file. Please check it before it becomes a data set.",
        back=(LIST, "Data sets"),
    )
    with actions:
        _discard_button(member, upload)

    content = files.read_upload(upload)
    form = reading_form(content, key=upload.id)
    if form is None:
        return
    with shown():
        seen = preview(content, form)
        _summary(form, seen)
        _create(upload, form, seen, known, name)
        _details(form, seen)


def _summary(form: Format, seen: Preview) -> None:
    labels = noun_of_labels(form.task)
    rows = "Sentences" if form.task is Task.token_classification else "Rows"
    kpi_row(
        Kpi(f"{rows} in the file", f"{seen.rows_in:,}"),
        Kpi(f"{rows} used", f"{seen.rows_used:,}"),
        Kpi(f"{rows} left out", f"{seen.rows_dropped:,}", help="Each with its reason below."),
        Kpi(f"Different {labels}s", f"{len(seen.labels):,}"),
    )


@st.fragment
def _create(upload: Upload, form: Format, seen: Preview, known: list[Dataset], name: str) -> None:
    member = session.member()
    if seen.problem is not None:
        show(seen.problem)
    why_not = refusal(member, Role.editor) or (seen.problem.message if seen.problem else None)
    names = {
        dataset.id: f"The next version of {dataset.name}" for dataset in known if dataset.task == form.task
    }
    with st.container(border=True, horizontal=True, vertical_alignment="bottom"):
        target = st.selectbox(
            "Make of it",
            [_NEW, *names],
            format_func={_NEW: "A new data set", **names}.__getitem__,
            disabled=why_not is not None,
            key=f"target:{upload.id}",
        )
        if target == _NEW:
            name = st.text_input(
                "Name", name, max_chars=80, disabled=why_not is not None, key=f"name:{upload.id}"
            )
        pressed = st.button(
            "Create data set" if target == _NEW else "Add version",
            type="primary",
            icon=":material/check:",
            disabled=why_not is not None,
            help=why_not,
        )
    if pressed:
        with shown():
            with st.spinner("Splitting and storing the rows …"):
                dataset_id = _freeze(member, upload, form, name=name, target=target)
            announce("The data set is ready. Train a model on it next.")
            st.switch_page(PAGE, query_params={"id": dataset_id})


def _freeze(member: Member, upload: Upload, form: Format, *, name: str, target: str) -> str:
    with files.freeze(member, upload, form=form, seed=DEFAULT_SEED) as version, transaction() as db:
        if target == _NEW:
            return datasets.create(db, member, name=name, version=version).dataset_id
        return datasets.add_version(db, member, dataset_id=target, version=version).dataset_id


def _details(form: Format, seen: Preview) -> None:
    st.subheader("First rows", anchor=False)
    example_rows(seen.first, seen.labels, shown=10)
    if seen.labels:
        entities = form.task is Task.token_classification
        st.subheader("Entity types" if entities else "Labels", anchor=False)
        unit = "entities" if entities else "rows"
        chart(label_balance(seen.labels, train_only=seen.train_only_labels, unit=unit), key="balance")
    if seen.train_only_labels:
        names = ", ".join(literal(label) for label in seen.train_only_labels)
        st.warning(
            f"Too rare to be tested, so they stay in the training split: {names}.", icon=":material/warning:"
        )
    st.subheader("Rows left out", anchor=False)
    row_sum(seen.rows_in, seen.rows_used)
    if seen.dropped:
        dropped_table(seen.dropped)


def _discard_button(member: Member, upload: Upload) -> None:
    why_not = refusal(member, Role.editor)
    if st.button("Discard", icon=":material/delete:", disabled=why_not is not None, help=why_not):
        confirm(
            "Discard this file?",
            loses=f"{literal(upload.filename)} is deleted. Data sets that were made from it stay.",
            verb="Discard",
            act=lambda: _discard(upload.id),
            done="The file is gone.",
        )


def _discard(upload_id: str) -> None:
    member = session.member()
    with transaction() as db:
        key = datasets.delete_upload(db, member, upload_id=upload_id)
    storage.delete(key)
    st.query_params.clear()


def _readable(filename: str) -> str:
    for sample in SAMPLES:
        if sample.filename == filename:
            return sample.name
    words = PurePath(filename).stem.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
