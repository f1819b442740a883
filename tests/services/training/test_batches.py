from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from services.training import batches, networks
from services.training.machine import Machine
from services.training.networks import TextClassifier

CPU = Machine(torch.device("cpu"), False, "test")


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(10, 100))
def test_every_row_is_in_one_batch_that_fits(lengths: list[int], tokens: int) -> None:
    found = batches.by_length(lengths, tokens)

    assert sorted(row for batch in found for row in batch) == list(range(len(lengths)))
    for batch in found:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= tokens


def test_rows_of_a_batch_are_of_nearly_equal_length() -> None:
    found = batches.by_length([3, 30, 4, 29, 5, 31], 95)

    assert [sorted(batch) for batch in found] == [[1, 3, 5], [0, 2, 4]]


def test_the_mask_covers_what_is_no_padding() -> None:
    tensors = batches.inputs([[5, 6, 7], [8]], padding=9)

    assert tensors["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert tensors["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]


def test_results_come_in_the_rows_order_and_as_if_each_were_alone(base_model: Path) -> None:
    network = TextClassifier(networks.pretrained(base_model), 3).eval()
    chance = torch.Generator().manual_seed(1)
    rows = [
        torch.randint(4, 60, (length,), generator=chance).tolist()
        for length in (3, 40, 7, 1, 64, 12, 40, 2) * 20
    ]
    done: list[int] = []

    together = batches.compute(network.probabilities, rows, 0, CPU, done.append)
    alone = [batches.compute(network.probabilities, [row], 0, CPU)[0] for row in rows]

    assert torch.allclose(torch.stack(together), torch.stack(alone), atol=1e-5)
    assert len(done) > 1
    assert done == sorted(done)
    assert done[-1] == len(rows)


def test_rows_with_gradients_are_in_their_order_whatever_is_computed_at_once(
    base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = TextClassifier(networks.pretrained(base_model), 3).eval()
    rows = [[2, *range(10, 10 + length), 3] for length in (3, 30, 1, 12, 30, 2)]
    found = []
    for tokens in (8, 64, 1_000):
        monkeypatch.setitem(batches._TOKENS_WITH_GRADIENTS, "cpu", tokens)
        network.zero_grad()
        together = batches.differentiable(network.embed, rows, 0, CPU)
        (together * torch.arange(len(rows)).unsqueeze(1)).square().sum().backward()
        table = network.encoder.get_input_embeddings().weight.grad
        found.append((together.detach(), table))

    alone = torch.stack(batches.compute(network.embed, rows, 0, CPU))
    for together, gradient in found:
        assert torch.allclose(together, alone, atol=1e-5)
        assert torch.allclose(gradient, found[0][1], atol=1e-3, rtol=1e-4)


def test_no_rows_give_no_results(base_model: Path) -> None:
    network = TextClassifier(networks.pretrained(base_model), 3).eval()

    assert batches.compute(network.probabilities, [], 0, CPU) == []
