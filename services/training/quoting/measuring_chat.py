"""Measures how fast the device is with a chat model: trained, read and answering, for about a second each."""

from collections.abc import Callable

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedConfig, PreTrainedModel

from services.training.adapting import Adapted
from services.training.generating import Answer, Decoder
from services.training.machine import Machine
from services.training.quoting import chat_plan
from services.training.quoting.speed import ChatSpeed
from services.training.recipe import Preset, Task, defaults

# As long as a packed row mostly is, of which an assistant says half; and answers that are written together.
_TOKENS, _TOGETHER, _PROMPT = 256, 16, 64


def _shape() -> LlamaConfig:
    """That of SmolLM2-135M."""
    return LlamaConfig(
        vocab_size=49_152,
        hidden_size=576,
        intermediate_size=1_536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        tie_word_embeddings=True,
        max_position_embeddings=8_192,
    )


def without_weights(shape: PreTrainedConfig, machine: Machine) -> PreTrainedModel:
    """A causal model that has learnt nothing.

    Weights that are all alike take as long to compute with as those of a model, and no time to make.
    """
    with torch.device("meta"):
        dtype = torch.bfloat16 if machine.bf16 else torch.float32
        model: PreTrainedModel = AutoModelForCausalLM.from_config(shape, dtype=dtype)  # type: ignore[no-untyped-call]
    model.to_empty(device=machine.device)
    with torch.no_grad():
        for weights in (*model.parameters(), *model.buffers()):
            weights.fill_(0.01)
    return model


def measure_chat(
    machine: Machine, seconds_of: Callable[[Callable[[], None], Machine], float], start_seconds: float
) -> ChatSpeed:
    """`seconds_of` times a piece of work; `start_seconds` is what it takes a run to get here."""
    network = Adapted(without_weights(_shape(), machine), defaults(Preset.quick, Task.chat)).to(
        machine.device
    )
    optimiser = torch.optim.AdamW([one for one in network.parameters() if one.requires_grad], lr=1e-5)
    ids = torch.randint(1_000, 40_000, (1, _TOKENS), device=machine.device)
    row: dict[str, Tensor] = {
        "input_ids": ids,
        "position_ids": torch.arange(_TOKENS, device=machine.device).unsqueeze(0),
        "weights": (torch.arange(_TOKENS, device=machine.device) % 2).float().unsqueeze(0),
    }

    def train() -> None:
        with machine.autocast():
            loss = network.train()(**row)["loss"]
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()

    def read() -> None:
        with torch.inference_mode(), machine.autocast():
            network.eval().losses(**row)

    decoder = Decoder(network.base, machine, end=-1)
    trained, seen = _TOKENS / seconds_of(train, machine), _TOKENS / seconds_of(read, machine)
    decoder.admit([Answer(ids[0, :_PROMPT].tolist(), chat_plan.ANSWER_TOKENS) for _ in range(_TOGETHER)])
    written = _TOGETHER / seconds_of(decoder.step, machine)
    return ChatSpeed(trained=trained, read=seen, written=written, start_seconds=start_seconds)
