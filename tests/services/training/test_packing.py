from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedModel

from services.training import packing
from services.training.adapting import Adapted, causal
from services.training.conversations import Encoded, load_format
from services.training.recipe import Preset, Task, defaults
from tests.services.training.tiny_chat import create_conversations


@pytest.fixture(scope="module")
def base(chat_model: Path) -> PreTrainedModel:
    return causal(chat_model, torch.float32)


@pytest.fixture(scope="module")
def encoded(chat_model: Path, base: PreTrainedModel) -> list[Encoded]:
    form = load_format(chat_model, base.config.eos_token_id)
    return [form.encode(example.messages) for example in create_conversations(6)]


@given(st.lists(st.integers(1, 50)))
def test_every_conversation_stands_in_one_row_that_has_room_for_it(lengths: list[int]) -> None:
    rows = packing.pack(lengths, 50)

    assert sorted(number for row in rows for number in row) == list(range(len(lengths)))
    assert all(sum(lengths[number] for number in row) <= 50 for row in rows)
    # First fit: no two rows could be one.
    fullness = sorted(sum(lengths[number] for number in row) for row in rows)
    assert len(fullness) < 2 or fullness[0] + fullness[1] > 50


def test_the_logits_of_a_packed_conversation_are_those_of_it_alone(
    base: PreTrainedModel, encoded: list[Encoded]
) -> None:
    lengths = [len(one.ids) for one in encoded]
    rows = packing.pack(lengths, max(lengths) * 2)
    batch = packing.collate([packing.row([encoded[number] for number in row]) for row in rows], padding=0)

    with torch.inference_mode():
        together = base(
            input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False
        ).logits
        for row, members in enumerate(rows):
            start = 0
            for number in members:
                alone = base(input_ids=torch.tensor([encoded[number].ids])).logits[0]
                here = together[row, start : start + lengths[number]]
                torch.testing.assert_close(here, alone, atol=1e-5, rtol=1e-5)
                start += lengths[number]
    assert any(len(members) > 1 for members in rows)


def test_without_positions_that_begin_anew_a_conversation_sees_its_neighbour(
    base: PreTrainedModel, encoded: list[Encoded]
) -> None:
    ids = torch.tensor([encoded[0].ids + encoded[1].ids])

    with torch.inference_mode():
        mixed = base(input_ids=ids).logits[0, len(encoded[0].ids) :]
        alone = base(input_ids=torch.tensor([encoded[1].ids])).logits[0]

    assert not torch.allclose(mixed, alone, atol=1e-2)


def test_losses_of_packed_and_single_rows_are_the_same_token_by_token(
    chat_model: Path, encoded: list[Encoded]
) -> None:
    network = Adapted(causal(chat_model, torch.float32), defaults(Preset.quick, Task.chat))
    packed = packing.collate([packing.row(encoded)], padding=0)
    padded = packing.collate([packing.row([one]) for one in encoded], padding=0)

    with torch.inference_mode():
        together, weights = network.losses(**{name: packed[name] for name in _READ})
        apart, _ = network.losses(**{name: padded[name] for name in _READ})

    torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-5)
    assert len(together) == len(weights) == sum(one.learned for one in encoded)


_READ = ("input_ids", "position_ids", "weights")
