"""What more rows would likely bring."""

import streamlit as st

from portal.components.chart import chart
from portal.components.kpi import Kpi, kpi_row
from portal.report_charts import learning_curve
from portal.verdict import difference
from services.training.recipe import Task
from services.training.reporting.report import LearningCurve, Report


def more_rows(report: Report, curve: LearningCurve) -> None:
    """The learning curve, and its forecasts with their ranges."""
    kpi_row(
        *(
            Kpi(
                f"{one.more:,} rows more",
                difference(report.metric, one.gain),
                note=" to ".join(difference(report.metric, gain) for gain in one.interval),
                help="Likely gain on the test split, with its 95 % range.",
            )
            for one in curve.forecasts
        )
    )
    chart(learning_curve(curve, report.metric), key="learning_curve")
    point = "Each point is a Quick model of the rows of the point before and as many again."
    if report.task is Task.token_classification:
        point = (
            "Each point learned from the sentences of the point before and as many again. It is a simple "
            "model on the base model’s words, which finds less than this one does: look at how it rises."
        )
    st.caption(
        f"{point} The forecast lets "
        "the error fall by the power of the rows that it fell by in the last two steps (Hestness et al. "
        "2017); the range holds what other test rows, and either step alone, would have told. It is a trend "
        "and no promise: rows of the kinds that are mistaken most bring more than others."
    )
