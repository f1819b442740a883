"""Where a model version comes from, down to the rows and the euro."""

import streamlit as st

from portal import format as words
from portal.components.download import download_link
from portal.components.facts import facts
from portal.components.recipe_form import HYPERPARAMETERS, setting
from portal.curves import PHASE_WORDS
from portal.highlight import literal
from portal.names import PRESET_WORDS
from services.accounts import service as accounts
from services.accounts.scope import Member
from services.datasets import service as datasets
from services.db import reading
from services.jobs import service as jobs
from services.registry import exports
from services.registry.tables import ModelVersion
from services.training.reporting.report import Report


def lineage(member: Member, version: ModelVersion, report: Report) -> None:
    """Data, recipe, run and cost of a version, with the ways to them."""
    with reading() as db:
        job = jobs.get(db, member, job_id=version.job_id)
        data = datasets.get_version(db, member, version_id=job.dataset_version_id)
        dataset = datasets.get(db, member, dataset_id=data.dataset_id)
        familiar = exports.familiarised(db, member, recipe=report.recipe)
        currency = accounts.get_tenant(db, member).currency
    with st.container(horizontal=True):
        st.page_link(
            "views/customer/dataset.py",
            label=f"{literal(dataset.name)}, version {data.number}",
            icon=":material/table_chart:",
            query_params={"id": dataset.id},
        )
        st.page_link(
            "views/customer/job.py",
            label="The job that made it",
            icon=":material/model_training:",
            query_params={"id": job.id},
        )
    with st.container(horizontal=True):
        download_link("Safetensors", "model-safetensors", version.id)
        if not report.chat:
            download_link("ONNX", "model-onnx", version.id)
        download_link("Model card", "model-card", version.id)
    st.caption(
        "The download answers without us: it brings the lines of Python that ask it, and the adapter alone "
        "for whoever has the base model."
        if report.chat
        else "Each download answers without us: it brings the lines of Python that ask it. ONNX is made when "
        "it is asked for, which takes a moment, and compared with the model on 200 test rows."
    )
    recipe = report.recipe
    settings = ", ".join(
        f"{HYPERPARAMETERS[name].lower()} {setting(value)}"
        for name, value in recipe.hyperparameters.model_dump(exclude_none=True).items()
    )
    phases = ", ".join(
        f"{PHASE_WORDS.get(phase, phase).lower()} {words.duration(seconds)}"
        for phase, seconds in report.seconds.items()
    )
    rows = report.rows
    left_out = data.rows_in - data.rows_used
    facts(
        {
            "Rows": f"{data.rows_in:,} in the file = {data.rows_used:,} used + {left_out:,} left out",
            "Splits": f"{rows.train:,} train, {rows.validation:,} validation, {rows.test:,} test",
            "Data hash": f"`{report.data_hash}`",
            "Base model": literal(report.base_model),
            **({"Got used to": literal(familiar[:1].upper() + familiar[1:])} if familiar else {}),
            "Preset": PRESET_WORDS[recipe.preset],
            "Settings": settings,
            **_ended_before(report),
            "Seed": str(recipe.seed),
            "Phases": phases,
            "Device": literal(report.device),
            "Cost": words.money(job.charged, currency) if job.charged is not None else "nothing",
            "Size": words.size(version.bytes),
            "Version id": f"`{version.id}`",
        }
    )


def _ended_before(report: Report) -> dict[str, str]:
    """Why training did not go to its end, where it did not."""
    if report.diverged_at_step is not None:
        return {
            "Ended": f"at step {report.diverged_at_step:,}, as it went wrong; this is the best until then"
        }
    if report.stopped_at_step is not None:
        return {"Ended": f"at step {report.stopped_at_step:,}, as you asked; this is the best until then"}
    return {}
