"""The settings that a search has tried, the best first."""

import pandas as pd
import streamlit as st

from portal.components.recipe_form import HYPERPARAMETERS
from portal.curves import Story
from portal.highlight import literal
from portal.verdict import METRIC_NAMES, figure

_HOW = {
    "whole": "To its end, or to the end of the budget",
    "ended early": "Ended early, in the worse half",
    "diverged": "Diverged",
}


def trial_table(told: Story) -> None:
    """Nothing where there was no search."""
    if not told.trials:
        return
    metric = told.metric or "accuracy"
    ranked = sorted(told.trials, key=lambda trial: (trial.how != "whole", -trial.score))
    best = ranked[0]
    with st.container(border=True):
        st.markdown(
            f"**The settings of trial {best.number} are the best of {len(ranked)} tried: "
            f"{METRIC_NAMES[metric]} {literal(figure(metric, best.score))} on the validation split**"
        )
        st.dataframe(
            pd.DataFrame(
                [
                    {
                        "Trial": trial.number,
                        "Validation score": figure(metric, trial.score),
                        "Evaluations": trial.evaluations,
                        "How it ended": _HOW.get(trial.how, trial.how),
                        **{
                            HYPERPARAMETERS.get(name, name): f"{value:.3g}"
                            for name, value in trial.settings.items()
                        },
                    }
                    for trial in ranked
                ]
            ),
            hide_index=True,
            height="content",
        )
