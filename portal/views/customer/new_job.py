"""A new fine-tuning job: how much work to put in, what it takes and costs, then the one button."""

import hashlib
from uuid import uuid4

import streamlit as st

from portal import session
from portal.components.choice import choice
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.notice import announce
from portal.components.permission import refusal
from portal.components.preset_cards import chosen_preset, preset_cards
from portal.components.recipe_form import recipe_form
from portal.components.run_preview import run_preview
from portal.errors import show, shown
from portal.highlight import literal
from portal.names import model_name_from
from services import clock, ordering
from services.accounts.scope import Role
from services.billing import service as billing
from services.billing.money import Money
from services.datasets import service as datasets
from services.db import reading, transaction
from services.errors import ServiceError
from services.jobs import service as jobs
from services.registry import service as registry
from services.training.recipe import (
    FEW_ROWS_PER_LABEL,
    Preset,
    Recipe,
    Task,
    TaskNotTrainable,
    defaults,
    presets,
    recommended,
)

LIST = "views/customer/datasets.py"
# A second press within this many seconds is the same wish, and finds the job of the first.
_SAME_WISH = 10

member = session.member()
why_not = refusal(member, Role.editor)

page_header(
    "New job", "Train a model on your labelled text. You see time and price first, and never pay more."
)

with reading() as db:
    known = datasets.list_datasets(db, member)
if not known:
    with empty_state("No data set to learn from yet", "Upload labelled text first, or take a sample."):
        if st.button("Add a data set", type="primary", icon=":material/upload_file:"):
            st.switch_page(LIST)
    st.stop()


def order(dataset_version_id: str, recipe: Recipe, name: str) -> None:
    """Queue the job once, however often the button is pressed, and go to its page."""
    request = f"{dataset_version_id} {recipe.model_dump_json()} {name}"
    key = f"portal:{_wish()}:{hashlib.sha256(request.encode()).hexdigest()[:32]}"
    with transaction() as db:
        job = ordering.order(
            db, member, dataset_version_id=dataset_version_id, recipe=recipe, model_name=name, key=key
        )
    announce("The job is queued. You can close this page; nothing is lost.")
    st.switch_page("views/customer/job.py", query_params={"id": job.id})


def _wish() -> str:
    wish: str
    wish, at = st.session_state.get("new_job_wish", ("", 0.0))
    now = clock.now().timestamp()
    if now - at > _SAME_WISH:
        wish = uuid4().hex
    st.session_state["new_job_wish"] = (wish, now)
    return wish


with reading() as db:
    wanted = st.query_params.get("dataset")
    versions = {version.id: (dataset.name, version) for dataset, version in known}
    if wanted and wanted not in versions:
        older = datasets.get_version(db, member, version_id=wanted)
        versions[wanted] = (datasets.get(db, member, dataset_id=older.dataset_id).name, older)
    models = {model.name: model for model in registry.models(db, member)}
    credit = billing.credit_left(db, member) if billing.on_trial(db, member) else None

version_id = choice(
    "Data set",
    {
        key: f"{name}, version {version.number}: {version.rows_used:,} rows"
        for key, (name, version) in versions.items()
    },
    param="dataset",
)
dataset_name, version = versions[version_id]
task = Task(version.task)
if not task.trainable:
    show(TaskNotTrainable(task))
    st.stop()
with reading() as db:
    offers = {
        preset: ordering.offer(
            db,
            member,
            dataset_version_id=version_id,
            recipe=Recipe(task=task, preset=preset, hyperparameters=defaults(preset, task)),
        )
        for preset in presets(task)
    }
fitting = recommended(task, rows=version.splits["train"], labels=len(version.labels))
preset_cards(offers, task, recommended=fitting, disabled=why_not is not None)
if fitting is Preset.few_shot and chosen_preset(task) is not fitting:
    st.caption(
        f"Your labels have {version.splits['train'] / max(1, len(version.labels)):.0f} training rows each on "
        f"average. Below {FEW_ROWS_PER_LABEL}, Few-shot mostly gets more out of them."
    )

settings_column, preview_column = st.columns(2, gap="medium")
with settings_column:
    name = st.text_input(
        "Name of the model",
        model_name_from(dataset_name),
        max_chars=60,
        help="Programs call the model by this name. A name that exists gets a new version.",
        disabled=why_not is not None,
        key=f"model_name:{version.dataset_id}",
    )
    usual = offers[Preset.custom]
    recipe = recipe_form(
        chosen_preset(task),
        task,
        seconds_for=usual.seconds_for,
        currency=usual.high.currency,
        texts={
            one.id: f"{dataset.name}, version {one.number}: {one.rows_used:,} rows"
            for dataset, one in known
            if one.id != version_id
        },
        disabled=why_not is not None,
    )

missing = why_not
with reading() as db:
    offer = ordering.offer(db, member, dataset_version_id=version_id, recipe=recipe)
    try:
        registry.check_name(db, member, name=name, task=task)
        reserved = sum(job.quoted_high for job in jobs.open_jobs(db, member))
        billing.require_funds(db, member, needed=offer.high, reserved=Money(reserved, offer.high.currency))
    except ServiceError as problem:
        missing = missing or problem.message
    makes = f"a new model, {literal(name)}"
    if name in models:
        number = registry.versions(db, member, model_id=models[name].id)[0].number + 1
        makes = f"version {number} of {literal(name)}; production stays as it is"

with preview_column.container(border=True):
    run_preview(
        dataset=dataset_name,
        version=version,
        recipe=recipe,
        offer=offer,
        makes=makes,
        credit=credit,
        missing=missing,
    )
    pressed = st.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=missing is not None,
        help=missing,
    )
if pressed:
    with shown():
        order(version_id, recipe, name)
