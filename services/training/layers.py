"""Learning rates by depth: what lies near the input of a pretrained model is changed least."""

import re
from collections.abc import Collection

from torch import nn

# As BERT (`encoder.layer.3.`), DistilBERT (`transformer.layer.3.`) and ModernBERT (`layers.3.`) name them.
_LAYER = re.compile(r"\.layers?\.(\d+)\.")
_INPUT = re.compile(r"\bembed")


def groups(
    network: nn.Module, *, rate: float, decay: float, weight_decay: float, decayed: Collection[str]
) -> list[dict[str, object]]:
    """Parameter groups for an optimiser: the head and the top layer learn at `rate`, each one below slower.

    decayed: names of the parameters that `weight_decay` pulls towards zero.
    """
    trained = [(name, weight) for name, weight in network.named_parameters() if weight.requires_grad]
    top = max((_depth(name) or 0 for name, _ in trained), default=0)
    found: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for name, weight in trained:
        depth = _depth(name)
        found.setdefault((top if depth is None else depth, name in decayed), []).append(weight)
    return [
        {
            "params": weights,
            "lr": rate * decay ** (top - depth),
            "weight_decay": weight_decay if pulled else 0.0,
        }
        # The first one's rate is what Trainer tells.
        for (depth, pulled), weights in sorted(found.items(), key=lambda one: -one[0][0])
    ]


def _depth(name: str) -> int | None:
    """0 for the input, from 1 on for layers, None for what stands above them."""
    if layer := _LAYER.search(name):
        return int(layer[1]) + 1
    return 0 if _INPUT.search(name) else None
