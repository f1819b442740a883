"""A data set and one of its frozen versions."""

import streamlit as st

from portal import format as words
from portal import session
from portal.charts import label_balance
from portal.components.chart import chart
from portal.components.choice import choice
from portal.components.confirm import confirm
from portal.components.dataset_check import LIST
from portal.components.dataset_list import PAGE
from portal.components.download import download_link
from portal.components.dropped_rows import dropped_table, row_sum
from portal.components.facts import facts
from portal.components.header import page_header
from portal.components.heights import up_to
from portal.components.kpi import Kpi, kpi_row
from portal.components.permission import refusal
from portal.components.reading_form import CONTAINERS
from portal.components.row_browser import row_browser
from portal.components.version_changes import version_changes
from portal.errors import shown
from portal.health import findings
from portal.highlight import literal
from portal.names import TASK_WORDS, noun_of_labels
from services import clock, deletion, storage
from services.accounts.scope import Member, Role
from services.datasets import drafts
from services.datasets import service as datasets
from services.datasets.dropped import DropCode
from services.datasets.formats import Format
from services.datasets.preview import DroppedGroup
from services.datasets.tables import Dataset, DatasetVersion
from services.db import reading, transaction
from services.registry.tables import Model, ModelVersion
from services.training.recipe import Task

Models = list[tuple[Model, ModelVersion]]

_NAMED = 5
_TABS = ["Labels", "Rows", "Left out", "Changes", "Origin"]


def dataset_page(member: Member, dataset_id: str) -> None:
    """The page of a data set; the version is that of the address, or else the latest."""
    with reading() as db:
        dataset = datasets.get(db, member, dataset_id=dataset_id)
        versions = datasets.versions(db, member, dataset_id=dataset_id)
        models = deletion.models_of(db, member, dataset_id=dataset_id)
    actions = page_header(
        dataset.name,
        f"{TASK_WORDS[Task(dataset.task)]}, added {words.ago(dataset.created_at, clock.now())}",
        back=(LIST, "Data sets"),
    )
    version = _choose(versions)
    if dataset.deleted_at is not None:
        _deleted(dataset, version, models)
        return
    with actions:
        _actions(member, dataset, version, models)
    _summary(version)

    labels, rows, left_out, changed, origin = st.tabs(
        _TABS, key="part", bind="query-params", on_change="rerun"
    )
    if labels.open:
        with labels:
            _labels(version)
    if rows.open:
        with rows:
            row_browser(version)
            _exports(version)
    if left_out.open:
        with left_out:
            _left_out(version)
    if changed.open:
        with changed:
            version_changes(version, _before(versions, version))
    if origin.open:
        with origin:
            _origin(version)


def _before(versions: list[DatasetVersion], version: DatasetVersion) -> DatasetVersion | None:
    """The version that came before, of all from the newest on."""
    return next((other for other in versions if other.number < version.number), None)


def _choose(versions: list[DatasetVersion]) -> DatasetVersion:
    if len(versions) == 1:
        return versions[0]
    numbered = {str(version.number): version for version in versions}
    names = {
        number: f"Version {number}, {words.day(version.created_at)}, {words.count(version.rows_used, 'row')}"
        for number, version in numbered.items()
    }
    return numbered[choice("Version", names, param="version", width=360)]


def _deleted(dataset: Dataset, version: DatasetVersion, models: Models) -> None:
    """What is left of a data set whose data was deleted."""
    assert dataset.deleted_at is not None
    st.info(
        f"The data was deleted on {words.day(dataset.deleted_at)}. Its counts stay as the origin of models.",
        icon=":material/delete:",
    )
    _summary(version)
    for model, made in models:
        st.page_link(
            "views/customer/model.py",
            label=f"The report of {literal(model.name)}, version {made.number}",
            icon=":material/assessment:",
            query_params={"id": model.id, "version": str(made.number)},
        )
    _labels(version)
    _origin(version)


def _loses(dataset: Dataset, models: Models) -> str:
    """What is lost by deleting it, and what is not."""
    lost = f"All versions and rows of **{literal(dataset.name)}** are deleted, and the files behind them."
    if not models:
        return f"{lost} No model came from it."
    named = ", ".join(f"{literal(model.name)} version {made.number}" for model, made in models[:_NAMED])
    more = f" and {len(models) - _NAMED:,} more" if len(models) > _NAMED else ""
    return (
        f"{lost}\n\n{words.count(len(models), 'model version')} came from it: {named}{more}. They go on "
        "working and keep their reports, which quote some rows of the test split."
    )


def _actions(member: Member, dataset: Dataset, version: DatasetVersion, models: Models) -> None:
    why_not = refusal(member, Role.editor)
    if st.button("Delete", icon=":material/delete:", disabled=why_not is not None, help=why_not):
        confirm(
            "Delete this data set?",
            loses=_loses(dataset, models),
            verb="Delete",
            act=lambda: _delete(dataset.id),
            done=f"{literal(dataset.name)} is deleted.",
        )
    if st.button(
        "Mend",
        icon=":material/build:",
        disabled=why_not is not None,
        help=why_not or "Look at the findings and fix them, which makes the next version.",
    ):
        with shown():
            with transaction() as db:
                draft = drafts.from_version(db, session.member(), version_id=version.id)
            st.switch_page(PAGE, query_params={"upload": draft.upload_id, "into": dataset.id})
    if st.button(
        "Train a model",
        type="primary",
        icon=":material/model_training:",
        disabled=why_not is not None,
        help=why_not,
    ):
        st.switch_page("views/customer/new_job.py", query_params={"dataset": version.id})


def _delete(dataset_id: str) -> None:
    member = session.member()
    with transaction() as db:
        prefixes = deletion.delete_dataset(db, member, dataset_id=dataset_id)
    for prefix in prefixes:
        storage.delete(prefix)
    st.query_params.clear()


def _summary(version: DatasetVersion) -> None:
    splits = version.splits
    kpi_row(
        Kpi("Rows", f"{version.rows_used:,}", note=f"of {version.rows_in:,} in the file"),
        Kpi(f"{noun_of_labels(version.task)}s".capitalize(), f"{len(version.labels):,}"),
        Kpi("To learn from", f"{splits['train']:,}", help="The training split."),
        Kpi(
            "To choose and to test",
            f"{splits['validation']:,} + {splits['test']:,}",
            help="The validation split chooses the best moment of a training run; the test split, "
            "which no run ever sees, judges the model.",
        ),
    )
    for finding in findings(version):
        st.markdown(f":orange[:material/warning:] {finding.sentence}")


def _labels(version: DatasetVersion) -> None:
    counts = {label: sum(splits.values()) for label, splits in version.labels.items()}
    if not counts:
        st.caption("There are no labels to count in data for this task.")
        return
    unit = "entities" if version.task == Task.token_classification else "rows"
    chart(label_balance(counts, train_only=version.train_only_labels, unit=unit), key="balance")
    if version.train_only_labels:
        names = ", ".join(literal(label) for label in version.train_only_labels)
        st.warning(f"In the training split alone, for want of rows: {names}.", icon=":material/warning:")
    splits = ("train", "validation", "test")
    st.dataframe(
        {
            "Label": list(counts),
            "All": list(counts.values()),
            **{split.capitalize(): [of[split] for of in version.labels.values()] for split in splits},
        },
        hide_index=True,
        height=up_to(12, len(counts)),
        alt="Rows of each label by split",
    )


def _exports(version: DatasetVersion) -> None:
    st.caption("All rows with their splits, to keep or to work on elsewhere. No cell of them is a formula.")
    with st.container(horizontal=True):
        download_link("CSV", "rows-csv", version.id)
        download_link("JSON lines", "rows-jsonl", version.id)
        if version.task == Task.token_classification:
            download_link("CoNLL", "rows-conll", version.id)


def _left_out(version: DatasetVersion) -> None:
    row_sum(version.rows_in, version.rows_used)
    if not version.dropped:
        st.caption("Every row of the file is used. Nothing to repair.")
        return
    codes = {DropCode(code): rows for code, rows in version.dropped.items()}
    dropped_table([DroppedGroup(code, code.sentence, rows, ()) for code, rows in codes.items()])
    st.caption("The file has every such row as it came, with its number and its reason.")
    download_link("Rows left out (CSV)", "rejected-rows", version.id)


def _origin(version: DatasetVersion) -> None:
    form = Format.model_validate(version.format)
    facts(
        {
            "Read as": ", ".join(filter(None, (CONTAINERS[form.container], form.encoding))),
            "Text column": literal(form.text_column),
            "Label column": literal(form.label_column or ", ".join(form.label_columns)),
            "Content hash": f"`{version.content_hash}`",
            "Seed of the splits": str(version.seed),
            "Characters": f"{version.characters:,}",
            "Frozen": words.day(version.created_at),
        }
    )
    st.caption("A version never changes: the same hash and seed always give the same splits.")
