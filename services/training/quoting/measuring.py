"""Measures the device, some ten seconds: `python -m services.training.quoting.measuring`; prints a `Speed`.

The weights are of chance and the shapes those of the default base models, so nothing has to be there.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter, process_time

import torch
from torch.nn.functional import cross_entropy, linear
from transformers import BertConfig

from services.training import networks
from services.training.machine import Machine, here
from services.training.networks import TextClassifier
from services.training.quoting.speed import Speed

# Rows are as short as customers' messages are.
_TOKENS_PER_ROW, _READ_ROWS, _TRAINED_ROWS = 16, 128, 32
_FITTED_ROWS, _FITTED_LABELS = 2_000, 32
_AT_LEAST_SECONDS = 0.7
# Processor seconds that the libraries have taken so far.
_IMPORTED = process_time()


def _shape() -> BertConfig:
    """That of all-MiniLM-L6-v2."""
    return BertConfig(
        vocab_size=30_522,
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1_536,
    )


def measure(machine: Machine) -> Speed:
    """Read, train and fit for about a second each, after one pass that warms up."""
    torch.manual_seed(0)
    network = TextClassifier(networks.untrained(_shape()), _FITTED_LABELS).to(machine.device)
    networks.freeze_embedding_table(network.encoder)
    optimiser = torch.optim.AdamW([one for one in network.parameters() if one.requires_grad], lr=1e-5)

    def batch(rows: int) -> dict[str, torch.Tensor]:
        ids = torch.randint(1_000, 30_000, (rows, _TOKENS_PER_ROW), device=machine.device)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def read() -> None:
        with torch.inference_mode(), machine.autocast():
            network.eval().embed(**batch(_READ_ROWS))

    def train() -> None:
        labels = torch.randint(_FITTED_LABELS, (_TRAINED_ROWS,), device=machine.device)
        with machine.autocast():
            loss = network.train()(**batch(_TRAINED_ROWS), labels=labels)["loss"]
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()

    features = torch.randn(_FITTED_ROWS, 384)
    targets = torch.randint(_FITTED_LABELS, (_FITTED_ROWS,))
    weight = torch.zeros(_FITTED_LABELS, 384, requires_grad=True)

    def fit() -> None:
        cross_entropy(linear(features, weight), targets).backward()  # type: ignore[no-untyped-call]

    speed = Speed(
        read=_READ_ROWS * _TOKENS_PER_ROW / _seconds(read, machine),
        trained=_TRAINED_ROWS * _TOKENS_PER_ROW / _seconds(train, machine),
        fitted=_seconds(fit, machine) / (_FITTED_ROWS * _FITTED_LABELS),
        # What it took this process to get here is what it takes a run.
        start_seconds=max(1.0, _IMPORTED),
    )
    before = process_time()
    # Imported here: peft comes with it, which only chat needs.
    from services.training.quoting.measuring_chat import measure_chat

    chat = measure_chat(machine, _seconds, speed.start_seconds + process_time() - before)
    return replace(speed, chat=chat)


def _seconds(work: Callable[[], None], machine: Machine) -> float:
    """Of the quickest turn: what else the machine does in the meantime is not the device's speed."""
    work()
    _wait(machine)
    began, quickest = perf_counter(), float("inf")
    while (before := perf_counter()) - began < _AT_LEAST_SECONDS:
        work()
        _wait(machine)
        quickest = min(quickest, perf_counter() - before)
    return quickest


def _wait(machine: Machine) -> None:
    if machine.device.type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(here()).to_json()) + "\n")
