"""Several conversations in one row, so that hardly any position is padding; none sees another.

Each conversation counts its positions from 0. From where they begin anew the attention of transformers tells
one conversation from the next, and lets none look into another.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from services.training import batches
from services.training.conversations import Encoded

Row = dict[str, Any]


def pack(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Conversation numbers in rows of at most `room` tokens, by first fit, the longest conversations first.

    First fit decreasing needs at most 11/9 of the fewest possible rows, and 6/9 of one (G. Dósa, 2007).
    """
    rows: list[list[int]] = []
    # Rows that still have room for something, as [tokens left, row number]; the first that fits is taken.
    left: list[list[int]] = []
    shortest = min(lengths, default=0)
    for number in sorted(range(len(lengths)), key=lambda number: -lengths[number]):
        place = next((place for place in left if place[0] >= lengths[number]), None)
        if place is None:
            rows.append([])
            place = [room, len(rows) - 1]
            left.append(place)
        rows[place[1]].append(number)
        place[0] -= lengths[number]
        if place[0] < shortest:
            left.remove(place)
    return rows


def row(conversations: Sequence[Encoded]) -> Row:
    """A packed row: `input_ids`, `position_ids` and `weights`, one beside the other."""
    return {
        "input_ids": [id_ for one in conversations for id_ in one.ids],
        "position_ids": [position for one in conversations for position in range(len(one.ids))],
        "weights": [weight for one in conversations for weight in one.weights],
    }


def collate(rows: Sequence[Row], padding: int) -> dict[str, Tensor]:
    """Tensors of (rows, longest); `attention_mask` tells what is no padding, and is there to be counted.

    Padding stands at position 0: each piece of it is a conversation of its own, without weight.
    """
    inputs = batches.inputs([one["input_ids"] for one in rows], padding)
    longest = inputs["input_ids"].shape[1]
    weights = torch.zeros(len(rows), longest)
    for number, one in enumerate(rows):
        weights[number, : len(one["weights"])] = torch.tensor(one["weights"])
    return {
        **inputs,
        "position_ids": batches.pad([one["position_ids"] for one in rows], 0),
        "weights": weights,
    }
