"""What is about to happen, on one card: ready, or the one thing that is missing."""

import streamlit as st

from portal import format as words
from portal.components.recipe_form import changes
from portal.highlight import literal
from portal.names import PRESET_WORDS, TASK_WORDS
from services.billing.money import Money
from services.datasets.tables import DatasetVersion
from services.ordering import Offer
from services.training.recipe import Recipe


def run_preview(
    *,
    dataset: str,
    version: DatasetVersion,
    recipe: Recipe,
    offer: Offer,
    makes: str,
    credit: Money | None,
    missing: str | None,
) -> None:
    """The card; `makes` says what the run will make, `credit` is what a trial has left, None for who pays."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown("**Run preview**", width="content")
        if missing is None:
            st.badge("Ready", icon=":material/check_circle:", color="green")
        else:
            st.badge("Not ready", icon=":material/error:", color="orange")
    if missing is not None:
        st.markdown(f":orange[{literal(missing)}]")
    splits = version.splits
    learns = f"{splits['train']:,} rows, tested on {splits['test']:,}"
    lines = [
        f"**Learns from** {literal(dataset)}, version {version.number}: {learns}",
        f"**Task** {TASK_WORDS[recipe.task].lower()}, {PRESET_WORDS[recipe.preset]}",
        f"**Makes** {makes}",
        f"**Differs from the defaults** {'; '.join(changes(recipe)) or 'in nothing'}",
        f"**Takes** {words.about_range(offer.seconds_low, offer.seconds_high)} "
        f"on {'a GPU' if offer.device_class == 'cuda' else 'CPU'}, "
        f"{'as our workers have measured' if offer.measured else 'until a worker has measured it'}",
        f"**Costs at most** {words.amount(offer.high)}. Queueing and failures cost nothing.",
    ]
    if credit is not None:
        lines.append(f"**Trial credit left** {words.amount(credit)}")
    st.markdown("  \n".join(lines))
