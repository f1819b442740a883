"""Rows of different lengths, put through a network with little padding."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from services.training.machine import Machine
from services.training.shapes import NO_WORD

# Sub-word tokens per forward pass without gradients. On two AVX-512 cores 2,048 to 4,096 gave the most rows/s
# (390 with all-MiniLM-L6-v2 on banking77; 340 at 1,024 and 300 at 8,192).
_TOKENS = {"cpu": 2_048, "cuda": 65_536}
# And with gradients. Of 64 texts of banking77 padded to the longest one two thirds are padding: on two cores
# with bfloat16 they took 1.17 s at once, 0.58 with 512, and 0.7 with 256 or 1,024.
_TOKENS_WITH_GRADIENTS = {"cpu": 512, "cuda": 65_536}


def by_length(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Row numbers in batches of nearly equal length, the longest first.

    With its padding no batch holds more than `tokens`, unless a single row does.
    """
    batches: list[list[int]] = []
    room = 0
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if room == 0:
            batches.append([])
            room = max(1, tokens // lengths[row])
        batches[-1].append(row)
        room -= 1
    return batches


def pad(rows: Sequence[Sequence[Any]], value: Any) -> Tensor:
    """(rows, longest, …) with `value` after the end of the shorter rows."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows])


def inputs(
    rows: Sequence[Sequence[int]],
    padding: int,
    types: Sequence[Sequence[int]] | None = None,
    shapes: Sequence[Sequence[Sequence[int]]] | None = None,
) -> dict[str, Tensor]:
    """`input_ids` and `attention_mask`, each (rows, longest), and what else there is.

    Of types `token_type_ids`, of the same shape, and of words' shapes `shapes`, (rows, longest, buckets).
    """
    tensors = {"input_ids": pad(rows, padding), "attention_mask": pad([[1] * len(row) for row in rows], 0)}
    if types is not None:
        tensors["token_type_ids"] = pad(types, 0)
    if shapes is not None:
        tensors["shapes"] = pad(shapes, NO_WORD)
    return tensors


def compute(
    function: Callable[..., Tensor],
    rows: Sequence[Sequence[int]],
    padding: int,
    machine: Machine,
    tell: Callable[[int], None] | None = None,
    types: Sequence[Sequence[int]] | None = None,
    shapes: Sequence[Sequence[Sequence[int]]] | None = None,
) -> list[Tensor]:
    """What `function(input_ids, attention_mask)` gives for each row, in the rows' order, in float32.

    With `types`, the token types of each row, or `shapes`, those of its words, the function is given them as
    well, as `inputs` names them.

    `tell` hears after each batch how many rows are done.
    """
    results: list[Tensor] = [torch.empty(0)] * len(rows)
    done = 0
    with torch.inference_mode(), machine.autocast():
        for batch in by_length([len(row) for row in rows], _TOKENS[machine.device.type]):
            kinds = None if types is None else [types[row] for row in batch]
            written = None if shapes is None else [shapes[row] for row in batch]
            tensors = inputs([rows[row] for row in batch], padding, kinds, written)
            outputs = function(**{name: tensor.to(machine.device) for name, tensor in tensors.items()})
            for row, output in zip(batch, outputs.float().cpu(), strict=True):
                results[row] = output
            done += len(batch)
            if tell:
                tell(done)
    return results


def differentiable(
    function: Callable[..., Tensor], rows: Sequence[Sequence[int]], padding: int, machine: Machine
) -> Tensor:
    """What `function(input_ids, attention_mask)` gives, (rows, …) in float32, with gradients.

    For what is asked of all rows together, such as a contrast; the rows are computed in parts.
    """
    parts = by_length([len(row) for row in rows], _TOKENS_WITH_GRADIENTS[machine.device.type])
    found = []
    with machine.autocast():
        for part in parts:
            tensors = inputs([rows[row] for row in part], padding)
            found.append(function(**{name: tensor.to(machine.device) for name, tensor in tensors.items()}))
    order = torch.tensor([row for part in parts for row in part], device=machine.device)
    return torch.cat(found).float()[order.argsort()]
