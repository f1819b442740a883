import pytest
import torch
from torch import nn

from services.training.layers import groups


class Network(nn.Module):
    def __init__(self, layers: str) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict(
            {
                "embeddings": nn.Linear(2, 2, bias=False),
                layers: nn.ModuleList(nn.Linear(2, 2) for _ in range(3)),
                "final_norm": nn.LayerNorm(2),
            }
        )
        self.head = nn.Linear(2, 2)


@pytest.mark.parametrize("layers", ["layer", "layers"])
def test_each_layer_learns_more_slowly_than_the_one_above_it(layers: str) -> None:
    network = Network(layers)
    names = {id(weight): name for name, weight in network.named_parameters()}
    decayed = {name for name in names.values() if name.endswith("weight") and "norm" not in name}

    found = groups(network, rate=1.0, decay=0.5, weight_decay=0.1, decayed=decayed)

    rates = {names[id(one)]: group["lr"] for group in found for one in group["params"]}  # type: ignore[attr-defined]
    assert rates["head.weight"] == rates["encoder.final_norm.weight"] == 1.0
    assert [rates[f"encoder.{layers}.{number}.weight"] for number in range(3)] == [0.25, 0.5, 1.0]
    assert rates["encoder.embeddings.weight"] == 0.125
    assert found[0]["lr"] == 1.0
    pulled = {names[id(one)] for group in found if group["weight_decay"] for one in group["params"]}  # type: ignore[attr-defined]
    assert pulled == decayed


def test_what_is_frozen_is_in_no_group() -> None:
    network = Network("layer")
    network.head.requires_grad_(False)

    found = groups(network, rate=1.0, decay=1.0, weight_decay=0.0, decayed=set())

    assert sum(len(group["params"]) for group in found) == len(list(network.parameters())) - 2  # type: ignore[arg-type]
    torch.optim.AdamW(found)
