"""One model (`?id=`): its versions, which of them is live, and the report of one (`&version=`)."""

import streamlit as st

from portal import session
from portal.components.alias_history import alias_history
from portal.components.header import page_header
from portal.components.lineage import lineage
from portal.components.report import report_confusions, report_labels, report_mistakes, report_summary
from portal.components.version_list import version_list
from portal.names import TASK_WORDS
from services.db import reading
from services.registry import service as registry
from services.training.recipe import Task
from services.training.report import Report

LIST = "views/customer/models.py"

member = session.member()
model_id = st.query_params.get("id")

if not model_id:
    st.switch_page(LIST)

with reading() as db:
    model = registry.get_model(db, member, model_id=model_id)
    versions = registry.versions(db, member, model_id=model.id)
    live = registry.production(db, member).get(model.id)

numbers = {str(version.number): version for version in versions}
version = numbers.get(st.query_params.get("version", ""), versions[0])
report = Report.model_validate(version.report)

with page_header(model.name, TASK_WORDS[Task(model.task)], back=(LIST, "Models")):
    if st.button("Try it", type="primary", icon=":material/experiment:"):
        st.switch_page("views/customer/playground.py", query_params={"model": version.id})

version_list(member, model, versions, live=live, chosen=version)
alias_history(member, model, versions)

st.subheader(f"Report of version {version.number}", anchor=False)
report_summary(report)
CLASSES = "Labels" if report.task is Task.text_classification else "Entity types"
parts = [CLASSES, *(["Confusions"] if report.confusion else []), "Mistakes", "Origin"]
tabs = dict(zip(parts, st.tabs(parts, key="report_part", bind="query-params"), strict=True))
if tabs[CLASSES].open:
    with tabs[CLASSES]:
        report_labels(report)
if report.confusion and tabs["Confusions"].open:
    with tabs["Confusions"]:
        report_confusions(report.confusion)
if tabs["Mistakes"].open:
    with tabs["Mistakes"]:
        report_mistakes(report)
if tabs["Origin"].open:
    with tabs["Origin"]:
        lineage(member, version, report)
