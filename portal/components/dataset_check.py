"""An uploaded file before it becomes a data set: how we understood it, what it would make, and the way on."""

from collections.abc import Callable, Sequence
from pathlib import PurePath

import streamlit as st

from portal import format as words
from portal import session
from portal.charts import label_balance, text_lengths
from portal.components.change_list import change_list
from portal.components.chart import chart
from portal.components.confirm import confirm
from portal.components.dataset_list import PAGE
from portal.components.dropped_rows import dropped_table, row_sum
from portal.components.finding_list import finding_list
from portal.components.header import page_header
from portal.components.kpi import Kpi, kpi_row
from portal.components.model_view import model_view
from portal.components.notice import announce
from portal.components.permission import refusal
from portal.components.reading_form import reading_form
from portal.components.row_editor import row_editor
from portal.errors import show, shown
from portal.highlight import literal
from portal.names import noun_of_labels
from services import storage
from services.accounts.scope import Member, Role
from services.datasets import drafts, files
from services.datasets import service as datasets
from services.datasets.examination import EXAMINATION, FIXES, Examination, examined, find_rows
from services.datasets.examples import Example
from services.datasets.findings.lengths import TEXT_TOKENS
from services.datasets.fixes import EditRow, Fix
from services.datasets.formats import Format
from services.datasets.preview import DEFAULT_SEED, Preview
from services.datasets.samples import SAMPLES
from services.datasets.split import Split
from services.datasets.tables import Dataset, Upload
from services.db import reading, transaction
from services.training.recipe import Task

LIST = "views/customer/datasets.py"
# Of short texts, on one core of a slow processor; and from when on a person is told.
_SECONDS_PER_MB, _LONG_SECONDS = 1, 10
_NEW, _ANY = "new", "any"


def dataset_check(member: Member, upload_id: str) -> None:
    """The page of an upload; the next version is of the data set `into`, if the address names one."""
    with reading() as db:
        upload = datasets.get_upload(db, member, upload_id=upload_id)
        draft = drafts.find(db, member, upload_id=upload_id)
        known = [dataset for dataset, _ in datasets.list_datasets(db, member)]
        name = datasets.free_name(db, member, wanted=_readable(upload.filename))
    actions = page_header(
        upload.filename,
        "We guessed how to read this file. Please check it before it becomes a data set.",
        back=(LIST, "Data sets"),
    )
    with actions:
        _discard_button(member, upload)

    form = reading_form(upload, kept=drafts.format_of(draft))
    if form is None:
        return
    fixes = drafts.fixes_of(draft)
    # Fixes name rows and labels as they were read: read otherwise, the file has none.
    if fixes and form != drafts.format_of(draft):
        fixes = []
    with shown():
        with st.spinner(_patience(upload), show_time=True):
            seen = _examined(upload, form, fixes)
        _summary(form, seen.preview)
        _create(upload, form, fixes, seen.preview, known, name)
        _parts(upload, form, fixes, seen)


def _patience(upload: Upload) -> str:
    """What a person reads while a file is read; what takes long can be left."""
    seconds = upload.bytes * _SECONDS_PER_MB // 2**20
    if seconds < _LONG_SECONDS:
        return "Reading and checking every row …"
    return (
        f"Reading and checking every row, for about {words.duration(seconds)}. You may leave this page; "
        "the result waits for you …"
    )


def _examined(upload: Upload, form: Format, fixes: list[Fix]) -> Examination:
    plain = FIXES.dump_json(fixes).decode()
    told = _examined_once(upload.tenant_id, upload.storage_key, form.model_dump_json(), plain)
    return EXAMINATION.validate_json(told)


@st.cache_data(ttl="30m", max_entries=32, show_spinner=False)
def _examined_once(tenant_id: str, storage_key: str, form: str, fixes: str) -> bytes:  # noqa: ARG001
    """The examination as JSON; a tenant's file, format and fixes together are the key."""
    known, to_do = Format.model_validate_json(form), FIXES.validate_json(fixes)
    with storage.opened(storage_key) as content:
        return EXAMINATION.dump_json(examined(content, known, fixes=to_do))


def _summary(form: Format, seen: Preview) -> None:
    labels = noun_of_labels(form.task)
    rows = "Sentences" if form.task is Task.token_classification else "Rows"
    kpi_row(
        Kpi(f"{rows} in the file", f"{seen.rows_in:,}"),
        Kpi(f"{rows} used", f"{seen.rows_used:,}"),
        Kpi(f"{rows} left out", f"{seen.rows_dropped:,}", help="Each with its reason below."),
        Kpi(f"Different {labels}s", f"{len(seen.labels):,}"),
    )
    if seen.splits:
        learn, choose, test = (f"{seen.splits[which]:,}" for which in Split)
        st.caption(f"Split: {learn} to learn from, {choose} to choose the best model by, {test} to test it.")


@st.fragment
def _create(
    upload: Upload, form: Format, fixes: list[Fix], seen: Preview, known: list[Dataset], name: str
) -> None:
    member = session.member()
    if seen.problem is not None:
        show(seen.problem)
    why_not = refusal(member, Role.editor) or (seen.problem.message if seen.problem else None)
    names = {
        dataset.id: f"The next version of {dataset.name}" for dataset in known if dataset.task == form.task
    }
    targets, into = [_NEW, *names], st.query_params.get("into", _NEW)
    with st.container(border=True, horizontal=True, vertical_alignment="bottom"):
        target = st.selectbox(
            "Make of it",
            targets,
            index=targets.index(into) if into in targets else 0,
            format_func={_NEW: "A new data set", **names}.__getitem__,
            disabled=why_not is not None,
            help="A next version keeps the test split of the one before, so that models stay comparable.",
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
                dataset_id = _freeze(member, upload, form, fixes, name=name, target=target)
            announce("The data set is ready. Train a model on it next.")
            st.switch_page(PAGE, query_params={"id": dataset_id})


def _freeze(member: Member, upload: Upload, form: Format, fixes: list[Fix], *, name: str, target: str) -> str:
    after = None
    if target != _NEW:
        with reading() as db:
            after = datasets.versions(db, member, dataset_id=target)[0]
    frozen = files.freeze(member, upload, form=form, seed=DEFAULT_SEED, fixes=fixes, after=after)
    with frozen as version, transaction() as db:
        if target == _NEW:
            return datasets.create(db, member, name=name, version=version).dataset_id
        return datasets.add_version(db, member, dataset_id=target, version=version).dataset_id


def _parts(upload: Upload, form: Format, fixes: list[Fix], seen: Examination) -> None:
    why_not = refusal(session.member(), Role.editor)
    found = len(seen.findings)
    findings, rows, labels, left_out = st.tabs(
        [f"Findings ({found})" if found else "Findings", "Rows", "Labels and lengths", "Left out"]
    )

    def mend(more: Sequence[Fix]) -> None:
        with shown():
            _mend(upload, form, more)

    with findings:
        st.markdown(
            f":material/data_usage: {literal(seen.meter.verdict)}", help=f"After {seen.meter.source}."
        )
        finding_list(seen.findings, why_not=why_not, fix=lambda fix: mend([fix]))
        if seen.changes:
            st.subheader("What was done", anchor=False)
            change_list(seen.changes, undo=lambda position: _undo(upload, position), why_not=why_not)
    with rows:
        _rows(upload, form, fixes, seen, why_not, mend)
        st.subheader("As the model reads them", anchor=False)
        model_view(seen.preview.first, form.task)
    with labels:
        _labels(form, seen.preview)
        if seen.preview.rows_used:
            chart(text_lengths(seen.lengths, read=TEXT_TOKENS), key="lengths")
    with left_out:
        row_sum(seen.preview.rows_in, seen.preview.rows_used)
        if seen.preview.dropped:
            dropped_table(seen.preview.dropped)


def _mend(upload: Upload, form: Format, fixes: Sequence[Fix]) -> None:
    """Do something about the rows as they are now."""
    member = session.member()
    with transaction() as db:
        drafts.read_as(db, member, upload_id=upload.id, form=form)
        for fix in fixes:
            drafts.add_fix(db, member, upload_id=upload.id, fix=fix)
    announce("Done. It can be undone below the findings.")
    st.rerun()


def _undo(upload: Upload, position: int) -> None:
    with shown():
        with transaction() as db:
            drafts.undo(db, session.member(), upload_id=upload.id, position=position)
        announce("Undone.")
        st.rerun()


def _rows(
    upload: Upload,
    form: Format,
    fixes: list[Fix],
    seen: Examination,
    why_not: str | None,
    keep: Callable[[list[EditRow]], None],
) -> None:
    about = {told.code: told for told in seen.findings if told.rows}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        code = st.selectbox(
            "Rows with",
            [_ANY, *about],
            format_func={_ANY: "Anything", **{code: told.title for code, told in about.items()}}.__getitem__,
            key=f"about:{upload.id}",
            width=360,
        )
        spoken = st.text_input(
            "and these words in their text", key=f"words:{upload.id}", disabled=code != _ANY
        )
    rows: Sequence[Example] = seen.preview.first
    if code != _ANY or spoken:
        numbers = () if code == _ANY else about[code].rows
        with files.opened(upload) as content:
            rows = find_rows(content, form, fixes=fixes, numbers=numbers, words=spoken)
    key = f"{upload.id}:{code}:{spoken}:{len(fixes)}"
    row_editor(rows, list(seen.preview.labels), key=key, why_not=why_not, keep=keep)


def _labels(form: Format, seen: Preview) -> None:
    if not seen.labels:
        st.caption("There are no labels in this kind of data.")
        return
    unit = "entities" if form.task is Task.token_classification else "rows"
    chart(label_balance(seen.labels, train_only=seen.train_only_labels, unit=unit), key="balance")
    if seen.train_only_labels:
        names = ", ".join(literal(label) for label in seen.train_only_labels)
        st.warning(
            f"Too rare to be tested, so they stay in the training split: {names}.", icon=":material/warning:"
        )


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
