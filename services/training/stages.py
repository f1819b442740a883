"""The stages of training: what each came to, and the Quick model put aside where another goes on from it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from services.training.process.folder import COMPLETE
from services.training.recipe import Hyperparameters
from services.training.reporting import study
from services.training.reporting.study import Study

_WEIGHTS = "weights.safetensors"
_REFITTED = "refitted.safetensors"
_OUTPUTS = "outputs.safetensors"
_REACHED = "reached.json"
_STUDY = "study.json"

# What a network says of each split's rows, before softmax or sigmoid, by the split's name.
Outputs = Mapping[str, Tensor]


@dataclass(frozen=True)
class Reached:
    """What training came to; the network was left at its best."""

    # On the validation rows.
    score: float
    # Sub-word tokens trained on, once for every pass over a row, without padding.
    tokens: int
    # The optimiser step, counted over all stages, at which the customer stopped it.
    stopped_at: int | None = None
    # Whether the model has, at last, learnt from the validation rows as well.
    refitted: bool = False
    # Whether rows that were held out preferred Quick: then that is published.
    worse: bool = False
    # The optimiser step, counted over all stages, at which training went wrong and was ended.
    diverged_at: int | None = None
    # Those that a search has found, where there was one.
    settings: Hyperparameters | None = None


@dataclass(frozen=True)
class Quick:
    """What Quick came to; the network has the weights that training goes on from."""

    reached: Reached
    # Of the model that is published; of the validation rows by one that had not yet learnt from them. Empty
    # where the network is still to be asked.
    outputs: Outputs = field(default_factory=dict)
    # The weights, by name, that have learnt from the validation rows as well: Quick is published with them.
    refitted: dict[str, Tensor] = field(default_factory=dict)
    # What the rows looked like on the way.
    study: Study | None = None
    # Optimiser steps that it took.
    steps: int = 0


def keep(network: nn.Module, quick: Quick, folder: Path) -> None:
    """Put the Quick model aside, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), folder / _WEIGHTS)
    save_file(quick.refitted, folder / _REFITTED)
    save_file({split: part.contiguous() for split, part in quick.outputs.items()}, folder / _OUTPUTS)
    (folder / _REACHED).write_text(json.dumps(asdict(quick.reached)))
    if quick.study:
        quick.study.save(folder / _STUDY)
    (folder / COMPLETE).write_text(str(quick.steps))


def restore(network: nn.Module, folder: Path) -> Quick:
    """Give a network the weights of the Quick model that was put aside, and return what it came to."""
    network.load_state_dict(weights(folder))
    kept = folder / _STUDY
    return Quick(
        Reached(**json.loads((folder / _REACHED).read_text())),
        load_file(folder / _OUTPUTS),
        load_file(folder / _REFITTED),
        study.restore(kept) if kept.exists() else None,
        int((folder / COMPLETE).read_text()),
    )


def weights(folder: Path) -> dict[str, Tensor]:
    """The weights, by name, of the Quick model that was put aside: those that training goes on from."""
    return load_file(folder / _WEIGHTS)


def swap(network: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give a network other weights of these names, and return those that it had."""
    before = {name: weight.clone() for name, weight in network.state_dict().items() if name in weights}
    network.load_state_dict(weights, strict=False)
    return before
