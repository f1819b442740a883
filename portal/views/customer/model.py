"""One model (`?id=`): its versions, which of them is live, and the report of one (`&version=`)."""

import streamlit as st

from portal import evidence, session
from portal.components.alias_history import alias_history
from portal.components.chat_report import chat_answers
from portal.components.confidence import calibration_part, threshold_part
from portal.components.confusions import confusions
from portal.components.header import page_header
from portal.components.lineage import lineage
from portal.components.mistakes import mistakes
from portal.components.more_rows import more_rows
from portal.components.report import report_labels, report_mistakes, report_summary
from portal.components.suspect_list import suspect_list
from portal.components.version_list import version_list
from portal.names import TASK_WORDS, noun_of_labels
from services.db import reading
from services.registry import service as registry
from services.training.recipe import Task
from services.training.reporting.report import Report

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
if len(versions) > 1:
    st.page_link(
        "views/customer/compare.py",
        label="Compare versions",
        icon=":material/compare_arrows:",
        query_params={"id": model.id},
    )
alias_history(member, model, versions)

st.subheader(f"Report of version {version.number}", anchor=False)
report_summary(report)
given, doubted = evidence.answers(version), evidence.doubts(version)
CLASSES = f"{noun_of_labels(report.task)}s".capitalize()
# Name of a part -> whether this version has it.
PARTS = {
    "Answers": report.chat is not None,
    CLASSES: bool(report.per_class),
    "Confusions": report.confusion is not None,
    "Mistakes": report.chat is None,
    "Confidence": report.calibration is not None,
    "Label errors": report.suspects is not None,
    "More rows": report.learning_curve is not None,
    "Origin": True,
}
shown = [part for part, there in PARTS.items() if there]
tabs = dict(zip(shown, st.tabs(shown, key="report_part", bind="query-params"), strict=True))
for part, tab in tabs.items():
    if not tab.open:
        continue
    with tab:
        if part == "Answers" and report.chat:
            chat_answers(report.chat)
        elif part == CLASSES:
            report_labels(report)
        elif part == "Confusions" and report.confusion:
            confusions(report.confusion, given)
        elif part == "Mistakes":
            if given:
                mistakes(report, given, version.labels)
            else:
                report_mistakes(report)
        elif part == "Confidence" and report.calibration:
            calibration_part(report.calibration)
            # Versions of several labels from before have a threshold for each label alone.
            if report.task is not Task.multi_label or any(row.certainty is not None for row in given):
                threshold_part(member, version, given)
        elif part == "Label errors" and report.suspects:
            suspect_list(member, version, report.suspects, doubted)
        elif part == "More rows" and report.learning_curve:
            more_rows(report, report.learning_curve)
        elif part == "Origin":
            lineage(member, version, report)
