"""How much of its conversations a chat run reads, and how often. Pure; no torch."""

from collections.abc import Sequence
from random import Random

from services.training.recipe import Hyperparameters, Preset, Recipe, defaults, enough

# Quick trains on about so many tokens, be it part of many conversations or all of few, which it reads up to
# six times: two or three minutes on two processor cores.
_QUICK_TOKENS = 65_536
_QUICK_EPOCHS = 6
# Below so many optimiser steps adapters have hardly moved.
_FEWEST_STEPS = 60
# Conversations that validation scores in between, and test conversations that are answered in words.
VALIDATED = 128
_ANSWERED = {Preset.quick: 16}
_ANSWERED_BY_OTHERS = 48
# Tokens of a written answer, at most.
ANSWER_TOKENS = 128


def quick(settings: Hyperparameters, lengths: Sequence[int], seed: int) -> tuple[list[int], Hyperparameters]:
    """The conversations that Quick learns from, by number, and its settings; lengths in tokens."""
    numbers = list(range(len(lengths)))
    Random(seed).shuffle(numbers)
    chosen, tokens = [], 0
    for number in numbers:
        if tokens >= _QUICK_TOKENS:
            break
        chosen.append(number)
        tokens += lengths[number]
    epochs = max(settings.epochs, min(_QUICK_EPOCHS, _QUICK_TOKENS // max(1, tokens)))
    return chosen, settings.model_copy(update={"epochs": epochs})


def full(settings: Hyperparameters, preset: Preset, packed_rows: int) -> Hyperparameters:
    """The settings of training beyond Quick: Custom's as they are, else more epochs where rows are few."""
    return settings if preset is Preset.custom else enough(settings, packed_rows, fewest=_FEWEST_STEPS)


def answered(preset: Preset) -> int:
    """Test conversations that are answered in words, at most."""
    return _ANSWERED.get(preset, _ANSWERED_BY_OTHERS)


def trained_tokens(recipe: Recipe, tokens: float) -> float:
    """Tokens that a run trains on, all passes together, if its training split has so many."""
    settings = recipe.hyperparameters
    brief = min(float(_QUICK_TOKENS), tokens * _QUICK_EPOCHS)
    if recipe.preset is Preset.quick:
        return max(brief, min(tokens, _QUICK_TOKENS))
    rows = max(1, round(tokens / settings.max_length))
    epochs = full(settings, recipe.preset, rows).epochs
    return tokens * epochs + (brief if recipe.preset is Preset.best else 0)


def brief(recipe: Recipe) -> Hyperparameters:
    """What Quick is set to, before anything else is known."""
    return recipe.hyperparameters if recipe.preset is Preset.quick else defaults(Preset.quick, recipe.task)
