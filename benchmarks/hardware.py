"""How much of a device's matrix rate reading and training reach: `python -m benchmarks.hardware`.

In one run: rows and tokens a second of models in known shapes with weights of chance, and their share of the
rate of a large product of two matrices, measured before and after each, which is the limit.

Counted is the arithmetic that a step asks for, and not what is computed again or padded (A. Chowdhery et al.,
"PaLM", 2022, appendix B): forward two operations for each weight of a matrix and token, and for each layer
and token 4 · tokens · width for attention, of which a causal model needs half; backward twice that, or once
for weights that are frozen.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, LlamaConfig

from services.training import networks
from services.training.adapting import Adapted
from services.training.machine import Machine, here
from services.training.networks import TextClassifier
from services.training.quoting.measuring_chat import without_weights
from services.training.recipe import Preset, Task, defaults

_LABELS = 77
_ENCODERS = {
    "MiniLM, 6 layers of 384": BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1_536
    ),
    "BERT base, 12 layers of 768": BertConfig(),
}
# That of Llama 3.2 1B.
_CAUSAL = LlamaConfig(
    vocab_size=128_256,
    hidden_size=2_048,
    intermediate_size=8_192,
    num_hidden_layers=16,
    num_attention_heads=32,
    num_key_value_heads=8,
    tie_word_embeddings=True,
    max_position_embeddings=8_192,
)


@dataclass(frozen=True)
class Work:
    """A step, and what it asks for."""

    name: str
    step: Callable[[], Any]
    rows: int
    tokens: int
    operations: float


def rate(machine: Machine) -> float:
    """Operations a second of the product of two square matrices, in bfloat16 where the product is used."""
    size = 8_192 if machine.device.type == "cuda" else 4_096
    kind = torch.bfloat16 if machine.bf16 else torch.float32
    left, right = (torch.randn(size, size, device=machine.device, dtype=kind) for _ in range(2))
    return 2 * size**3 / seconds(lambda: left @ right, machine, 1.5)


def seconds(step: Callable[[], Any], machine: Machine, at_least: float) -> float:
    """The median of as many steps as take so long, after two that warm up."""
    taken: list[float] = []
    for number in range(10_000):
        began = perf_counter()
        step()
        if machine.device.type == "cuda":
            torch.cuda.synchronize()
        if number >= 2:
            taken.append(perf_counter() - began)
        if sum(taken) >= at_least and len(taken) >= 3:
            break
    return median(taken)


def encoder(name: str, config: BertConfig, machine: Machine, rows: int, length: int) -> list[Work]:
    """As Quick reads texts, and as Best trains on them."""
    network = TextClassifier(networks.untrained(config), _LABELS).to(machine.device)
    networks.freeze_embedding_table(network.encoder)
    learning = [one for one in network.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=1e-5, fused=True)
    ids = torch.randint(1_000, 30_000, (rows, length), device=machine.device)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    labels = torch.randint(_LABELS, (rows,), device=machine.device)

    def read() -> None:
        with torch.inference_mode(), machine.autocast():
            network.eval().embed(**inputs)

    def train() -> None:
        with machine.autocast():
            loss: Tensor = network.train()(**inputs, labels=labels)["loss"]
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()

    attention = 4 * length * config.hidden_size * config.num_hidden_layers
    forward = rows * length * (2 * _matrix_weights(network.encoder) + attention)
    return [
        Work(f"{name}: read", read, rows, rows * length, forward),
        Work(f"{name}: trained", train, rows, rows * length, 3 * forward),
    ]


def causal(machine: Machine, rows: int, length: int) -> list[Work]:
    """As Chat trains adapters, half of each row learnt from."""
    model = without_weights(_CAUSAL, machine)
    decoder_weights = _matrix_weights(model.get_decoder())
    network = Adapted(model, defaults(Preset.best, Task.chat)).to(machine.device)
    optimiser = torch.optim.AdamW([one for one in network.parameters() if one.requires_grad], lr=1e-5)
    places = torch.arange(length, device=machine.device).expand(rows, -1)
    row = {
        "input_ids": torch.randint(1_000, 100_000, (rows, length), device=machine.device),
        "position_ids": places,
        "weights": (places >= length // 2).float(),
    }

    def train() -> None:
        with machine.autocast():
            loss: Tensor = network.train()(**row)["loss"]
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()

    tokens = rows * length
    matrices = 2 * tokens * decoder_weights + tokens * _CAUSAL.vocab_size * _CAUSAL.hidden_size
    attention = tokens * 2 * length * _CAUSAL.hidden_size * _CAUSAL.num_hidden_layers
    # What is frozen has no gradient of its own; queries, keys and values have.
    return [Work("1 billion, adapters: trained", train, rows, tokens, 2 * matrices + 3 * attention)]


def _matrix_weights(network: nn.Module) -> int:
    return sum(one.weight.numel() for one in network.modules() if isinstance(one, nn.Linear))


def main(options: argparse.Namespace) -> None:
    torch.manual_seed(0)
    machine = here()
    large = machine.device.type == "cuda"
    print(f"{machine.name}; {'bfloat16' if machine.bf16 else 'float32'}\n")
    print("| what | rows a step | tokens a row | rows/s | tokens/s | TFLOP/s | product of matrices | of it |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for rows, length in options.batches or [(64, 16), (64, 128), *([(512, 128)] if large else [])]:
        for name, config in _ENCODERS.items():
            _tell(encoder(name, config, machine, rows, length), machine, length)
    if not options.without_causal:
        for rows in (1, 4, 16) if large else (1,):
            _tell(causal(machine, rows, options.row), machine, options.row)


def _tell(works: list[Work], machine: Machine, length: int) -> None:
    for work in works:
        # A host that others share is not as quick at one moment as at another.
        before, taken, after = rate(machine), seconds(work.step, machine, 3.0), rate(machine)
        limit, reached = (before + after) / 2, work.operations / taken
        cells = (
            f"{work.rows:,} | {length:,} | {work.rows / taken:,.1f} | {work.tokens / taken:,.0f}",
            f"{reached / 1e12:.2f} | {limit / 1e12:.2f} | {reached / limit:.0%}",
        )
        print(f"| {work.name} | {' | '.join(cells)} |", flush=True)


def _batch(text: str) -> tuple[int, int]:
    rows, _, length = text.partition("x")
    return int(rows), int(length)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batches", nargs="+", type=_batch, metavar="ROWSxTOKENS", help="of encoders")
    parser.add_argument("--row", type=int, default=1_024, help="tokens of a row of the causal model")
    parser.add_argument("--without-causal", action="store_true", help="where 6 GB of memory are not there")
    main(parser.parse_args())
