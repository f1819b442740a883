"""Adapters of many tenants over one base in memory: in a batch each row is computed with its own."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import linear

from services.training.adapting import ADAPTER_WEIGHTS

# What peft puts around a layer's name.
_BEFORE, _DOWN, _UP = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


class LowRank:
    """One adapter: of each adapted layer two matrices, (rank, in) and (out, rank), scaled."""

    def __init__(self, layers: dict[str, tuple[Tensor, Tensor]]) -> None:
        self.layers = layers
        # What it holds of the device's memory.
        self.bytes = sum(down.nbytes + up.nbytes for down, up in layers.values())

    @classmethod
    def load(cls, folder: Path, device: torch.device, dtype: torch.dtype) -> "LowRank":
        """The adapter of a folder in peft's format."""
        config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
        scale = config["lora_alpha"] / config["r"]
        weights = load_file(folder / ADAPTER_WEIGHTS)
        layers = {}
        for name, down in weights.items():
            if name.endswith(_DOWN):
                layer = name.removesuffix(_DOWN)
                up = weights[layer + _UP] * scale
                layers[layer.removeprefix(_BEFORE)] = (down.to(device, dtype), up.to(device, dtype))
        return cls(layers)


class Adapting:
    """Adds adapters to the linear layers of a base, which itself stays as it is."""

    def __init__(self, base: nn.Module) -> None:
        # Adapters with their rows; None is all rows.
        self._now: list[tuple[LowRank, list[int] | None]] = []
        for name, module in base.named_modules():
            if isinstance(module, nn.Linear):
                module.register_forward_hook(self._adding(name))

    @contextmanager
    def rows(self, adapters: Sequence[LowRank | None]) -> Iterator[None]:
        """Within this block each row of the batch is computed with its adapter; None is the base alone."""
        different = {id(adapter): adapter for adapter in adapters if adapter is not None}
        self._now = [
            (adapter, None if len(rows) == len(adapters) else rows)
            for adapter in different.values()
            if (rows := [row for row, other in enumerate(adapters) if other is adapter])
        ]
        try:
            yield
        finally:
            self._now = []

    def _adding(self, name: str) -> Callable[[nn.Module, tuple[Any, ...], Tensor], Tensor | None]:
        def add(_: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor | None:
            for adapter, rows in self._now:
                if name not in adapter.layers:
                    continue
                down, up = adapter.layers[name]
                if rows is None:
                    output = output + linear(linear(inputs[0], down), up)
                else:
                    output[rows] += linear(linear(inputs[0][rows], down), up)
            return output

        return add
