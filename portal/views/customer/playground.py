"""The playground: write a sentence, see what a model version makes of it."""

import streamlit as st

from portal import session
from portal.components.chat_trial import chat_trial
from portal.components.choice import choice
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.permission import refusal
from portal.components.trial_run import trial_run
from services.accounts.scope import Role
from services.datasets import service as datasets
from services.db import reading
from services.jobs import service as jobs
from services.registry import service as registry
from services.training.recipe import Task

PARAM = "model"

member = session.member()
why_not = refusal(member, Role.editor)

page_header("Playground", "Write a sentence as your customers would, and see what a model makes of it.")

with reading() as db:
    models = registry.models(db, member)
    live = registry.production(db, member)
    versions = [
        (model, version) for model in models for version in registry.versions(db, member, model_id=model.id)
    ]
    # The address may hold a name, as programs do.
    wanted = st.query_params.get(PARAM)
    named = registry.resolve(db, member, name=wanted).id if wanted else next(iter(live.values()), None)

if not versions:
    with empty_state("No model to try yet", "Train one first: a Quick run takes less than a minute."):
        if st.button(
            "Train a model", type="primary", icon=":material/add:", disabled=why_not is not None, help=why_not
        ):
            st.switch_page("views/customer/new_job.py")
    st.stop()

words = {
    version.id: f"{model.name}, version {version.number}"
    + (" (production)" if live.get(model.id) == version.id else "")
    for model, version in versions
}
chosen = choice("Model", words, param=PARAM, default=named, width=420)
model, version = next(pair for pair in versions if pair[1].id == chosen)
with reading() as db:
    job = jobs.get(db, member, job_id=version.job_id)
    data = datasets.get_version(db, member, version_id=job.dataset_version_id)

# Programs that mean the live version say the model's name.
called = model.name if live.get(model.id) == version.id else version.id
if version.task == Task.chat:
    chat_trial(version, called=called)
else:
    trial_run(version, data, called=called)
