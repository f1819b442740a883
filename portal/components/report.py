"""The report of a model version, part by part."""

from collections.abc import Sequence

import streamlit as st

from portal import format as words
from portal.charts import against_baselines
from portal.components.chart import chart
from portal.components.chat_report import chat_figures
from portal.components.heights import up_to
from portal.components.kpi import Kpi, kpi_row
from portal.highlight import literal
from portal.names import noun_of_labels
from portal.verdict import METRIC_NAMES, figure, headline, method
from services.training.recipe import Task
from services.training.reporting.report import ClassScore, Ranking, Report

# How a table writes a share; its values are hundredths.
PERCENT = "%.1f %%"
_PER_CLASS_HELP = {
    "Precision": "Of what the model called so, how much truly is.",
    "Recall": "Of what truly is, how much the model found.",
    "F1": "The harmonic mean of the two.",
}


def report_summary(report: Report) -> None:
    """The figure that counts, how sure it is, and simple methods beside it."""
    st.markdown(f"**{headline(report)}**")
    kpi_row(*(chat_figures(report, report.chat) if report.chat else _figures(report)))
    if report.baselines:
        with st.container(border=True):
            chart(
                against_baselines(report.value, report.interval, report.baselines, report.metric),
                key="baselines",
            )
    if report.ranking:
        _ranking(report.ranking)
    if report.truncated_rows:
        cut = words.count(report.truncated_rows, "conversation" if report.chat else "text")
        st.caption(f"{cut} longer than {report.recipe.hyperparameters.max_length} tokens lost the rest.")


def _figures(report: Report) -> list[Kpi]:
    low, high = report.interval
    name = METRIC_NAMES[report.metric]
    validation = figure(report.metric, report.validation_value)
    unit = "sentences" if report.task is Task.token_classification else "rows"
    return [
        Kpi(
            f"{name} on the test split",
            figure(report.metric, report.value),
            note=f"{figure(report.metric, low)} to {figure(report.metric, high)}, 95 % sure",
            help="The test split was never trained on and never chose anything."
            + (f" On the validation split it is {validation}." if report.errors else ""),
        ),
        Kpi("Tested on", f"{report.test_rows:,} {unit}", note=f"learned from {report.rows.train:,}"),
        *_averages(report),
        *_errors(report),
        *(
            # Scores have figures enough for a row of four.
            []
            if report.errors
            else [
                Kpi(
                    "On the validation split",
                    validation,
                    note=_accuracy(report),
                    help="The split that chose the best moment of the run, so a little too kind.",
                )
            ]
        ),
    ]


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


def _errors(report: Report) -> list[Kpi]:
    errors = report.errors
    if errors is None:
        return []
    return [
        Kpi(
            "Off by, on average",
            words.number(errors.mae),
            note=f"root mean square {words.number(errors.rmse)}",
            help="The mean absolute error, in the unit of your scores; large errors weigh more in the other.",
        ),
        Kpi(
            "Correlation",
            figure("r2", errors.pearson),
            note=f"of ranks {figure('r2', errors.spearman)}",
            help="Pearson’s coefficient, and Spearman’s, which looks at the order of the scores alone.",
        ),
    ]


def _ranking(ranking: Ranking) -> None:
    """How well second texts are put in order for their first text."""
    best = max(ranking.baselines, key=lambda baseline: baseline.value)
    st.markdown(
        f"**As a ranking**  \n:small[:gray[The second texts of each first text, the likeliest to be "
        f"“{literal(ranking.relevant)}” first: {ranking.queries:,} first texts with "
        f"{ranking.candidates:.1f} candidates on average.]]"
    )
    recall = ", ".join(
        f"{words.percent(share)} among the first {top}" for top, share in ranking.recall_at.items()
    )
    kpi_row(
        Kpi(
            "NDCG@10",
            figure("r2", ranking.ndcg_at_10),
            note=f"{method(best.name).lower()}: {figure('r2', best.value)}",
            help="1 where all that is relevant stands first; places further down count less.",
        ),
        Kpi(
            "Mean reciprocal rank",
            figure("r2", ranking.mrr),
            note=f"the first hit at place {1 / ranking.mrr:.1f}",
            help="1 where the first place is always a hit, 0.5 where it is the second.",
        ),
        Kpi("Recall@10", words.percent(ranking.recall_at["10"]), help=f"Of what is relevant: {recall}."),
    )


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
            **_calibration_of(report, scores),
        },
        column_config={
            **bar,
            "Support": st.column_config.NumberColumn(
                help="How many of the test split truly are of this label."
            ),
            "Confidence is off by": st.column_config.NumberColumn(
                format=PERCENT, help="The expected calibration error of this label alone."
            ),
        },
        hide_index=True,
        height=up_to(20, len(scores)),
        alt="Scores of each label, the worst first",
    )
    if report.task is Task.multi_label:
        st.caption("Each label has its own threshold, chosen on the validation split for the best F1.")
    if report.task is Task.token_classification:
        st.caption(
            "An entity counts as found only when its type and its exact span are right, as seqeval counts."
        )


def _calibration_of(report: Report, scores: Sequence[ClassScore]) -> dict[str, list[float]]:
    told = report.calibration
    if told is None or not told.by_label:
        return {}
    return {"Confidence is off by": [told.by_label[score.label] * 100 for score in scores]}


def report_mistakes(report: Report) -> None:
    """The mistakes that the model was most sure of."""
    if not report.worst:
        st.caption("No mistakes on the test split.")
        return
    of_scores = report.errors is not None
    st.caption(
        "The answers that are furthest from the truth. Often it is the score in the data that is wrong: read "
        "them before you train again."
        if of_scores
        else "The mistakes that the model was most sure of. Often it is the label that is wrong: read them "
        "before you train again."
    )
    sureness = {"Off by": [item.score for item in report.worst]}
    if not of_scores:
        sureness = {"Confidence": [item.score * 100 for item in report.worst]}
    st.dataframe(
        {
            "Row": [item.row for item in report.worst],
            "Text": [item.text for item in report.worst],
            "Truth": [item.truth for item in report.worst],
            "Predicted": [item.predicted for item in report.worst],
            **sureness,
        },
        column_config={
            "Row": st.column_config.NumberColumn(width=60, help="The row's number in your file"),
            "Text": st.column_config.TextColumn(width="large"),
            "Confidence": st.column_config.ProgressColumn(format=PERCENT, min_value=0, max_value=100),
            "Off by": st.column_config.NumberColumn(format="%.3g"),
        },
        hide_index=True,
        height=up_to(20, len(report.worst)),
        alt="The most confident mistakes",
    )
