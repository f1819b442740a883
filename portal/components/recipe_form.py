"""The settings of a run: base model, and for Custom every hyperparameter."""

from collections.abc import Callable, Mapping
from decimal import Decimal

import streamlit as st

from portal import format as words
from services.training.bases import catalogue
from services.training.bases.catalogue import Entry
from services.training.recipe import (
    SEARCHED,
    Hyperparameters,
    LoraTargets,
    Preset,
    Recipe,
    Task,
    default_base_model,
)

HYPERPARAMETERS = {
    "epochs": "Epochs",
    "learning_rate": "Learning rate",
    "batch_size": "Rows per step",
    "max_length": "Longest text (tokens)",
    "patience": "Patience",
    "weight_decay": "Weight decay",
    "warmup_ratio": "Warm-up share",
    "layer_decay": "Rate per layer",
    "lora_rank": "Adapter rank",
    "lora_alpha": "Adapter alpha",
    "lora_targets": "Adapted layers",
}
_MINUTES = "Minutes"
# Between which a search may take.
_FEWEST_SECONDS, _MOST_SECONDS = 30, 86_400
_TARGETS = {LoraTargets.linear: "All linear layers", LoraTargets.attention: "Attention alone"}


def recipe_form(
    preset: Preset,
    task: Task,
    *,
    seconds_for: Callable[[Decimal], int],
    currency: str,
    texts: Mapping[str, str],
    disabled: bool,
) -> Recipe:
    """The recipe that the person put together.

    `seconds_for` tells what an amount of money pays for; `texts` are other data set versions whose texts the
    base model may read first, id -> name.
    """
    base = _base_model(task, disabled=disabled)
    given = catalogue.defaults_for(base.id, preset, task)
    if preset is Preset.custom:
        given = _hyperparameters(given, base, task, disabled=disabled)
    familiarising, familiar = 0, None
    if preset is Preset.custom and task is not Task.chat:
        familiarising = st.number_input(
            "Passes over the texts first",
            min_value=0,
            max_value=20,
            value=0,
            help="The base model guesses words that are left out of your texts, before it learns.",
            disabled=disabled,
            key=f"familiarising:{task}",
        )
        if familiarising:
            familiar = st.selectbox(
                "Texts that it reads first",
                [None, *texts],
                format_func=lambda key: texts.get(key or "", "The training texts"),
                help="Any data set of yours, with labels or without: labels are not read. Texts that "
                "stand in validation or test are left out.",
                disabled=disabled,
                key=f"familiar:{task}",
            )
    seconds = None
    if preset is Preset.custom and task in SEARCHED:
        seconds = _search(seconds_for, currency, task, disabled=disabled)
    return Recipe(
        task=task,
        base_model=base.id,
        preset=preset,
        hyperparameters=given,
        familiarising_epochs=familiarising,
        familiarising_on=familiar,
        search_seconds=seconds,
    )


def _search(
    seconds_for: Callable[[Decimal], int], currency: str, task: Task, *, disabled: bool
) -> int | None:
    wanted = st.toggle(
        "Search for better settings",
        help="Tries settings around yours, ends the worse half of them early, and keeps the best model. "
        "What you allow is the most it takes; the quote below holds it.",
        disabled=disabled,
        key=f"search:{task}",
    )
    if not wanted:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unit = st.segmented_control(
            "Spend at most",
            [_MINUTES, currency],
            default=_MINUTES,
            disabled=disabled,
            key=f"search_unit:{task}",
        )
        if unit == currency:
            amount = st.number_input(
                f"Amount in {currency}",
                0.01,
                1_000.0,
                2.0,
                0.5,
                disabled=disabled,
                key=f"search_amount:{task}",
            )
            return min(_MOST_SECONDS, max(_FEWEST_SECONDS, seconds_for(Decimal(str(amount)))))
        minutes = st.number_input("Minutes", 1, 1_440, 5, 1, disabled=disabled, key=f"search_minutes:{task}")
    return int(minutes) * 60


def changes(recipe: Recipe) -> list[str]:
    """What differs from the preset's defaults, in words."""
    usual = catalogue.defaults_for(recipe.base_model, recipe.preset, recipe.task).model_dump()
    found = [
        f"{HYPERPARAMETERS[name]} {setting(value)} instead of {setting(usual[name])}"
        for name, value in recipe.hyperparameters.model_dump().items()
        if value != usual[name]
    ]
    if recipe.familiarising_epochs:
        whose = "the texts of another data set" if recipe.familiarising_on else "the texts"
        found.append(f"Passes over {whose} first {recipe.familiarising_epochs} instead of 0")
    if recipe.search_seconds:
        found.append(f"a search of at most {words.duration(recipe.search_seconds)} instead of none")
    if recipe.base_model != default_base_model(recipe.task):
        found.insert(0, f"Base model {catalogue.get(recipe.base_model).name}")
    return found


def setting(value: float | LoraTargets) -> str:
    """A hyperparameter as people read it."""
    return _TARGETS[value].lower() if isinstance(value, LoraTargets) else f"{value:g}"


def _base_model(task: Task, *, disabled: bool) -> Entry:
    fitting = {entry.id: entry for entry in catalogue.entries() if task in entry.tasks}
    names = {
        key: f"{entry.name}, {words.short_count(entry.parameters)} parameters"
        for key, entry in fitting.items()
    }
    chosen = st.selectbox(
        "Base model", list(names), format_func=names.__getitem__, disabled=disabled, key=f"base_model:{task}"
    )
    entry = fitting[chosen]
    languages = "many languages" if "multilingual" in entry.languages else "English"
    st.caption(
        f"Reads {languages}, up to {entry.max_length:,} tokens. A row that it trains on takes about "
        f"{entry.memory_per_row:,} MB. Licence {entry.licence}."
    )
    return entry


def _hyperparameters(usual: Hyperparameters, base: Entry, task: Task, *, disabled: bool) -> Hyperparameters:
    def number(name: str, low: float, high: float, step: float, text: str) -> float:
        start = getattr(usual, name)
        whole = isinstance(start, int)
        value: float = st.number_input(
            HYPERPARAMETERS[name],
            min_value=int(low) if whole else float(low),
            max_value=int(high) if whole else float(high),
            value=start,
            step=int(step) if whole else float(step),
            format=None if whole else "%g",
            help=text,
            disabled=disabled,
            key=f"{name}:{task}",
        )
        return value

    with st.grid(3, min_column_width=140, gap="small"):
        values: dict[str, float | LoraTargets] = {
            "epochs": number("epochs", 1, 100, 1, "Passes over the training split."),
            "learning_rate": number("learning_rate", 1e-6, 0.1, 1e-5, "How far one step goes."),
            "batch_size": number("batch_size", 1, 512, 1, "Rows that one step learns from."),
            "max_length": number(
                "max_length",
                8,
                base.max_length,
                8,
                "Longer conversations lose their end; short ones share a row of so many tokens."
                if task is Task.chat
                else "Longer texts lose their tail, and are counted in the report.",
            ),
            "patience": number(
                "patience",
                0,
                50,
                1,
                "Evaluations without a better score before the run stops; 0 never stops early.",
            ),
            "weight_decay": number("weight_decay", 0, 1, 0.01, "Pull of all weights towards zero."),
            "warmup_ratio": number("warmup_ratio", 0, 1, 0.05, "Share of the steps in which the rate rises."),
            "layer_decay": number(
                "layer_decay", 0.5, 1, 0.05, "Times the rate, from each layer to the one below."
            ),
        }
        if task is Task.chat:
            values["lora_rank"] = number("lora_rank", 1, 256, 1, "How much the adapters can learn.")
            values["lora_alpha"] = number("lora_alpha", 1, 1024, 1, "Their weight: alpha / rank.")
            values["lora_targets"] = st.selectbox(
                HYPERPARAMETERS["lora_targets"],
                list(_TARGETS),
                format_func=_TARGETS.__getitem__,
                disabled=disabled,
                key=f"lora_targets:{task}",
            )
    return Hyperparameters.model_validate(values)
