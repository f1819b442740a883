"""Versions of one model (`?id=`) side by side: only what differs, on the test rows that all answered."""

import streamlit as st

from portal import evidence, session
from portal.components.comparison import disagreements, label_changes, recipe_changes, standing
from portal.components.empty import empty_state
from portal.components.header import page_header
from services.db import reading
from services.registry import comparing
from services.registry import service as registry
from services.training.reporting.report import Report

MODEL, LIST = "views/customer/model.py", "views/customer/models.py"

member = session.member()
model_id = st.query_params.get("id")

if not model_id:
    st.switch_page(LIST)

with reading() as db:
    model = registry.get_model(db, member, model_id=model_id)
    versions = registry.versions(db, member, model_id=model.id)
    live = registry.production(db, member).get(model.id)

page_header(f"Compare {model.name}", "What differs between versions, and whether it is more than chance.")
st.page_link(MODEL, label=model.name, icon=":material/arrow_back:", query_params={"id": model.id})
if len(versions) < 2:
    empty_state("There is one version so far", "Train the model again, then compare the two.")
    st.stop()

names = {str(version.number): version for version in versions}
usual = [number for number, version in names.items() if version.id == live]
usual = [next(number for number in names if number not in usual), *usual]
chosen = st.multiselect(
    "Versions", list(names), default=usual, key="versions", bind="query-params", max_selections=4, width=420
)
if len(chosen) < 2:
    st.caption("Choose two versions or more. The first one is compared with each of the others.")
    st.stop()

picked = [names[number] for number in chosen]
titles = [f"Version {number}" for number in chosen]
rows = comparing.shared([evidence.answers(version) for version in picked])
if rows:
    standing(rows, titles, picked[0].metric)
else:
    st.caption(
        "These versions have no test rows in common, so no figure of one says anything about another. Train "
        "them on versions of the same data set, which keep their test split."
    )
reports = [Report.model_validate(version.report) for version in picked]
parts = ["Disagreements", "Labels", "Recipe"]
tabs = dict(zip(parts, st.tabs(parts, key="compare_part", bind="query-params"), strict=True))
with tabs["Disagreements"]:
    if rows:
        disagreements(rows, titles)
with tabs["Labels"]:
    label_changes(reports, titles)
with tabs["Recipe"]:
    recipe_changes(reports, titles)
