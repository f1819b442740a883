"""How much work a run puts in: a card for each preset, with its time and price."""

from collections.abc import Mapping

import streamlit as st

from portal import format as words
from portal.names import PRESET_WORDS
from services.ordering import Offer
from services.training.recipe import Preset, Task, presets

_WHAT = {
    (Preset.quick, Task.multi_label): "Reads every text once and fits a yes or no for each label. "
    "Good enough to judge your data.",
    (Preset.quick, Task.pair_classification): "Reads every text once, for itself, and compares them. "
    "Good enough to judge your data.",
    (Preset.quick, Task.regression): "Reads every text once and fits a line through the scores. "
    "Good enough to judge your data.",
    (Preset.best, Task.multi_label): "Trains the whole model on your texts and keeps its best moment.",
    (Preset.best, Task.pair_classification): "Reads both texts of a pair at once, trains the whole model, "
    "and keeps its best moment.",
    (Preset.best, Task.regression): "Trains the whole model on your texts and keeps its best moment.",
    (Preset.quick, Task.text_classification): "Reads every text once and fits a classifier on top. "
    "Good enough to judge your data.",
    (
        Preset.quick,
        Task.token_classification,
    ): "Reads every word once and fits a classifier on top. Good enough to judge your data.",
    (
        Preset.best,
        Task.text_classification,
    ): "Trains the whole model on your texts and keeps its best moment.",
    (
        Preset.few_shot,
        Task.text_classification,
    ): "For labels with few rows: reads the labels' names, draws texts of one label together, and keeps what "
    "rows held out prefer.",
    (Preset.quick, Task.chat): "Trains adapters for a few minutes. Good enough to hear your style.",
    (
        Preset.best,
        Task.chat,
    ): "Goes on until the validation score no longer rises, and keeps the best moment.",
    (Preset.best, Task.token_classification): "Trains the whole model on your sentences and keeps its best "
    "moment.",
}
_CUSTOM = "Best, with the settings in your hands."
_ICONS = {
    Preset.quick: "bolt",
    Preset.few_shot: "grain",
    Preset.best: "trophy",
    Preset.custom: "tune",
}
_PARAM = "preset"


def chosen_preset(task: Task) -> Preset:
    """The preset in the address, Quick where there is none that the task has."""
    wanted = st.query_params.get(_PARAM, "")
    return Preset(wanted) if wanted in presets(task) else Preset.quick


def preset_cards(
    offers: Mapping[Preset, Offer], task: Task, *, recommended: Preset | None, disabled: bool
) -> None:
    """The cards; pressing one puts it into the address. `recommended` is what the data asks for."""
    chosen = chosen_preset(task)
    with st.grid(len(offers), min_column_width=150, gap="small"):
        for preset, offer in offers.items():
            _card(
                preset,
                offer,
                task,
                chosen=preset is chosen,
                recommended=preset is recommended,
                disabled=disabled,
            )


def _card(
    preset: Preset, offer: Offer, task: Task, *, chosen: bool, recommended: bool, disabled: bool
) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**:material/{_ICONS[preset]}: {PRESET_WORDS[preset]}**", width="content")
            if chosen:
                st.badge("Chosen", icon=":material/check:", color="blue")
            elif recommended:
                st.badge("Fits your data", icon=":material/thumb_up:", color="green")
        st.caption(_WHAT.get((preset, task), _CUSTOM))
        st.space("stretch")
        time = words.about_range(offer.seconds_low, offer.seconds_high)
        price = words.money_range(offer.low.micros, offer.high.micros, offer.high.currency)
        st.markdown(f"**{time[:1].upper()}{time[1:]}**  \n{price}")
        st.button(
            "Chosen" if chosen else f"Choose {PRESET_WORDS[preset]}",
            key=f"preset:{preset}",
            on_click=_choose,
            args=(preset,),
            disabled=chosen or disabled,
            width="stretch",
        )


def _choose(preset: Preset) -> None:
    st.query_params[_PARAM] = preset.value
