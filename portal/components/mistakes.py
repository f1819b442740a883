"""Every mistake on a split: filtered, the worst first, a page at a time; the filter stands in the address."""

from collections.abc import Sequence

import streamlit as st

from portal.components.answered_rows import answered_rows, certainty
from portal.components.chart import chart
from portal.report_charts import entity_errors, error_words, predicted_scores
from services.training.reporting.answered import Answered, read_span
from services.training.reporting.entity_errors import ErrorKind, errors
from services.training.reporting.report import Report

_SPLITS = {"Test": "test", "Validation": "validation"}
_ANY = "Any"


@st.fragment
def mistakes(report: Report, answers: Sequence[Answered], labels: Sequence[str]) -> None:
    """The mistakes of a version whose every answer is kept."""
    sentences = any(row.tokens for row in answers)
    if report.entity_errors and sum(report.entity_errors.values()):
        chart(entity_errors(report.entity_errors), key="entity_errors")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = st.segmented_control(
            "Split", list(_SPLITS), default="Test", required=True, key="mistakes_of", bind="query-params"
        )
        if sentences:
            kinds = {_ANY: _ANY, **{kind.value: error_words(kind) for kind in ErrorKind}}
            kind = st.selectbox(
                "Kind", list(kinds), format_func=kinds.__getitem__, key="kind", bind="query-params", width=240
            )
        else:
            kind = _ANY
        truth = (
            st.selectbox("Truth", [_ANY, *labels], key="mistaken", bind="query-params", width=240)
            if labels
            else _ANY
        )
        spoken = st.text_input("Words in the text", key="mistakes_with", bind="query-params", width=240)
    if report.errors:
        of_split = [row for row in answers if row.split == _SPLITS[split or "Test"]]
        pairs = [(row.scores[0], row.scores[1]) for row in of_split]
        chart(predicted_scores(pairs, [row.row for row in of_split]), key="predicted_scores")
    wrong = [row for row in answers if row.split == _SPLITS[split or "Test"] and not row.right]
    chosen = [
        row
        for row in wrong
        if (truth == _ANY or truth in _types(row.truth, sentences))
        and (kind == _ANY or kind in _kinds(row))
        and spoken.casefold() in row.text.casefold()
    ]
    # How far a score is off, or how sure the model was of its mistake.
    chosen.sort(key=lambda row: -(certainty(row) if row.off_by is None else row.off_by))
    st.caption(
        "The answers that are furthest from the truth come first. Often it is the score in the data that is "
        "wrong: read them before you train again."
        if report.errors
        else "The mistakes that the model was most sure of come first. Often it is the label that is wrong: "
        "read them before you train again."
    )
    answered_rows(chosen, labels, key=f"mistakes:{split}:{kind}:{truth}:{spoken}")


def _types(answers: Sequence[str], sentences: bool) -> set[str]:
    return {read_span(answer).type for answer in answers} if sentences else set(answers)


def _kinds(row: Answered) -> set[str]:
    spans = ([read_span(one) for one in answers] for answers in (row.truth, row.predicted))
    return {mistake.kind.value for mistake in errors(*spans)}
