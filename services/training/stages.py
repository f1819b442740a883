"""The stages of training: what one came to, and the Quick model put aside where another goes on from it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from services.training.folder import COMPLETE, RunFolder
from services.training.journal import Journal
from services.training.recipe import Preset
from services.training.wishes import heed_pause

_WEIGHTS = "weights.safetensors"
_REFITTED = "refitted.safetensors"
_REACHED = "reached.json"


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
    # That of its answers, measured on the validation rows before it did.
    temperature: float | None = None


def go_on(
    network: nn.Module,
    quick: Reached,
    finetune: Callable[[], Reached],
    *,
    quick_steps: int,
    preset: Preset,
    folder: RunFolder,
    journal: Journal,
    refitted: Mapping[str, Tensor] | None = None,
) -> Reached:
    """Put the Quick model aside, train on from it, and leave the network at the better of the two.

    `refitted` are weights that Quick is published with, and that saw the validation rows: training goes on
    from those that did not. Custom publishes what `finetune` gives, also where Quick was better. A customer
    who has asked to stop gets Quick without more.
    """
    if not folder.has_quick():
        _keep(network, quick, quick_steps, folder.quick, refitted or {})
    if folder.stop.exists():
        restore(network, folder.quick, refitted=True)
        return replace(quick, stopped_at=quick_steps if quick.stopped_at is None else quick.stopped_at)
    heed_pause(folder)

    full = finetune()
    reached = replace(full, tokens=quick.tokens + full.tokens)
    if preset is Preset.best and full.score < quick.score:
        journal.note(
            f"Fine-tuning reached {full.score:.1%} on the validation rows and Quick {quick.score:.1%}: "
            "the Quick model is published."
        )
        restore(network, folder.quick, refitted=True)
        return replace(reached, score=quick.score, refitted=quick.refitted, temperature=quick.temperature)
    return reached


def swap(network: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give a network other weights of these names, and return those that it had."""
    before = {name: weight.clone() for name, weight in network.state_dict().items() if name in weights}
    network.load_state_dict(weights, strict=False)
    return before


def _keep(
    network: nn.Module, reached: Reached, steps: int, folder: Path, refitted: Mapping[str, Tensor]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), folder / _WEIGHTS)
    save_file(dict(refitted), folder / _REFITTED)
    (folder / _REACHED).write_text(json.dumps(asdict(reached)))
    (folder / COMPLETE).write_text(str(steps))


def restore(network: nn.Module, folder: Path, *, refitted: bool = False) -> Reached:
    """Give a network the weights of the Quick model that was put aside, and return what it reached.

    With `refitted` it gets those that Quick is published with.
    """
    network.load_state_dict(load_file(folder / _WEIGHTS))
    if refitted:
        swap(network, load_file(folder / _REFITTED))
    return Reached(**json.loads((folder / _REACHED).read_text()))
