"""The report of a model version, part by part."""

import streamlit as st

from portal import format as words
from portal.charts import against_baselines
from portal.components.chart import chart
from portal.components.heights import up_to
from portal.components.kpi import Kpi, kpi_row
from portal.names import noun_of_labels
from portal.verdict import METRIC_NAMES, figure, headline
from services.training.recipe import Task
from services.training.report import Report

# How a table writes a share; its values are hundredths.
PERCENT = "%.1f %%"
_PER_CLASS_HELP = {
    "Precision": "Of what the model called so, how much truly is.",
    "Recall": "Of what truly is, how much the model found.",
    "F1": "The harmonic mean of the two.",
}


def report_summary(report: Report) -> None:
    """The figure that counts, how sure it is, and simple methods beside it."""
    low, high = report.interval
    name = METRIC_NAMES[report.metric]
    unit = "sentences" if report.task is Task.token_classification else "rows"
    st.markdown(f"**{headline(report)}**")
    kpi_row(
        Kpi(
            f"{name} on the test split",
            figure(report.metric, report.value),
            note=f"{figure(report.metric, low)} to {figure(report.metric, high)}, 95 % sure",
            help="The test split was never trained on and never chose anything.",
        ),
        Kpi("Tested on", f"{report.test_rows:,} {unit}", note=f"learned from {report.rows.train:,}"),
        *_averages(report),
        Kpi(
            "On the validation split",
            figure(report.metric, report.validation_value),
            note=_accuracy(report),
            help="The split that chose the best moment of the run, so a little too kind.",
        ),
    )
    if report.baselines:
        with st.container(border=True):
            chart(
                against_baselines(report.value, report.interval, report.baselines, report.metric),
                key="baselines",
            )
    if report.truncated_rows:
        cut = words.count(report.truncated_rows, "text")
        st.caption(f"{cut} longer than {report.recipe.hyperparameters.max_length} tokens lost the rest.")


def _averages(report: Report) -> list[Kpi]:
    if report.macro_f1 is None or report.weighted_f1 is None:
        return []
    return [
        Kpi(
            "Macro F1",
            words.percent(report.macro_f1),
            note=f"weighted {words.percent(report.weighted_f1)}",
            help=f"F1 of each {noun_of_labels(report.task)}, averaged: rare ones count as much.",
        )
    ]


def _accuracy(report: Report) -> str:
    if report.accuracy is None or report.metric == "accuracy":
        return ""
    of = "accuracy per word" if report.task is Task.token_classification else "with all labels right"
    return f"{words.percent(report.accuracy)} {of}"


def report_labels(report: Report) -> None:
    """Precision, recall and F1 of each label, the worst first."""
    scores = sorted(report.per_class, key=lambda score: (score.f1, -score.support))
    bar = {
        name: st.column_config.ProgressColumn(format=PERCENT, min_value=0, max_value=100, help=text)
        for name, text in _PER_CLASS_HELP.items()
    }
    st.dataframe(
        {
            noun_of_labels(report.task).capitalize(): [score.label for score in scores],
            "Precision": [score.precision * 100 for score in scores],
            "Recall": [score.recall * 100 for score in scores],
            "F1": [score.f1 * 100 for score in scores],
            "Support": [score.support for score in scores],
        },
        column_config={
            **bar,
            "Support": st.column_config.NumberColumn(
                help="How many of the test split truly are of this label."
            ),
        },
        hide_index=True,
        height=up_to(20, len(scores)),
        alt="Scores of each label, the worst first",
    )
    if report.task is Task.token_classification:
        st.caption(
            "An entity counts as found only when its type and its exact span are right, as seqeval counts."
        )


def report_mistakes(report: Report) -> None:
    """The mistakes that the model was most sure of."""
    if not report.worst:
        st.caption("No mistakes on the test split.")
        return
    st.caption(
        "The mistakes that the model was most sure of. Often it is the label that is wrong: read them before "
        "you train again."
    )
    st.dataframe(
        {
            "Row": [item.row for item in report.worst],
            "Text": [item.text for item in report.worst],
            "Truth": [item.truth for item in report.worst],
            "Predicted": [item.predicted for item in report.worst],
            "Confidence": [item.score * 100 for item in report.worst],
        },
        column_config={
            "Row": st.column_config.NumberColumn(width=60, help="The row's number in your file"),
            "Text": st.column_config.TextColumn(width="large"),
            "Confidence": st.column_config.ProgressColumn(format=PERCENT, min_value=0, max_value=100),
        },
        hide_index=True,
        height=up_to(20, len(report.worst)),
        alt="The most confident mistakes",
    )
