"""The Quick model, put aside where training goes on from it."""

from pathlib import Path

from safetensors.torch import load_file, save_file

from services.training.folder import COMPLETE
from services.training.networks import Network

_WEIGHTS = "weights.safetensors"
_SCORE = "score"


def keep(network: Network, score: float, steps: int, folder: Path) -> None:
    """Put aside a network, its validation score, and the optimiser steps it took."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), folder / _WEIGHTS)
    (folder / _SCORE).write_text(repr(score))
    (folder / COMPLETE).write_text(str(steps))


def restore(network: Network, folder: Path) -> float:
    """Give a network the weights that were put aside, and return their validation score."""
    network.load_state_dict(load_file(folder / _WEIGHTS))
    return float((folder / _SCORE).read_text())


def quick_was_better(quick: float, reached: float) -> str:
    """What the customer is told when the second stage did not pay."""
    return (
        f"Fine-tuning reached {reached:.1%} on the validation rows and Quick {quick:.1%}: "
        "the Quick model is published."
    )
