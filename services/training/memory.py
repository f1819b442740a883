"""Does a run fit the memory it may use, and how is it made to?"""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedConfig

from services.training.failures import DoesNotFitMemory
from services.training.machine import Machine
from services.training.process import fences, watch
from services.training.recipe import Hyperparameters

# Numbers that a layer of the Llama family keeps of each token for the backward pass, in hidden and in
# feed-forward sizes, and the bytes of one. Measured on SmolLM2-135M: 3.5 MB a token in float32 (that is its
# 30 layers of these), 2.1 MB with bfloat16 autocast, which keeps some of them in float32.
_HIDDEN, _FEED_FORWARD = 20, 11
_FLOAT32, _AUTOCAST = 4.0, 2.5
# Of each entry of the vocabulary: a logit, its probability and its gradient, where half of the tokens learn.
_VOCABULARY = 6.0
# The same of an encoder's layer, and for each of its heads and each position that a token looks at: with
# dropout a processor keeps what it looks at, before and after. Measured on all-MiniLM-L6-v2 with bfloat16:
# 170 KB a token in rows of 64 tokens, 390 KB in rows of 256.
_ENCODER_HIDDEN, _ENCODER_FEED_FORWARD, _LOOKED_AT = 8, 2, 16.0
# Of each weight that learns: its gradient and two moments of Adam, in float32.
_LEARNING = 12
# Python, libraries, fragments.
_FIXED = 1.5 * 2**30
# What is left for whoever else uses the host.
_SHARE_OF_HOST = 0.8


@dataclass(frozen=True)
class Fit:
    """How a step is computed: rows in one pass, and whether layers compute twice to keep less."""

    rows: int
    checkpointing: bool


def fit(
    config: PreTrainedConfig, parameters: int, settings: Hyperparameters, machine: Machine, *, memory: int
) -> Fit:
    """The quickest way to compute a step within so many bytes of the device.

    On a processor one row at a time is as quick as many. On a GPU as many as fit are read together.

    Raises:
        DoesNotFitMemory: a single row does not fit, whichever way.
    """
    fixed = _FIXED + parameters * (2 if machine.bf16 else 4)

    def needed(rows: int, *, checkpointing: bool) -> float:
        return fixed + rows * settings.max_length * causal_bytes_per_token(config, machine, checkpointing)

    most = settings.batch_size if machine.device.type == "cuda" else 1
    dividing = [rows for rows in range(most, 0, -1) if settings.batch_size % rows == 0]
    for checkpointing in (False, True):
        for rows in dividing:
            if needed(rows, checkpointing=checkpointing) <= memory:
                return Fit(rows, checkpointing)
    raise DoesNotFitMemory(int(needed(1, checkpointing=True)), memory, settings.max_length)


def fit_encoder(
    config: PreTrainedConfig, learning: int, longest: int, batch_size: int, machine: Machine, *, room: int
) -> Fit:
    """The quickest way to compute a step of an encoder in so many further bytes of the device.

    learning: weights that learn; longest: tokens of the longest row. Fewer rows in a pass cost less than
    layers that compute twice.

    Raises:
        DoesNotFitMemory: a single row does not fit, whichever way.
    """

    def needed(rows: int, *, checkpointing: bool) -> float:
        return learning * _LEARNING + rows * longest * encoder_bytes_per_token(
            config, longest, machine, checkpointing
        )

    for checkpointing in (False, True):
        for rows in range(batch_size, 0, -1):
            if batch_size % rows == 0 and needed(rows, checkpointing=checkpointing) <= room:
                return Fit(rows, checkpointing)
    raise DoesNotFitMemory(int(needed(1, checkpointing=True)), room, longest)


def left(machine: Machine) -> int:
    """Bytes of the device that a run under way may still take."""
    if machine.device.type == "cuda":
        return available(machine)
    limits = fences.limits()
    free = int(_free_of_host() * _SHARE_OF_HOST)
    return min(free, max(0, limits.memory - watch.memory(os.getpid()))) if limits else free


def available(machine: Machine) -> int:
    """Bytes that a run may use of the device: its limit, or what the host has free, if that is less."""
    limits = fences.limits()
    if machine.device.type == "cuda":
        free, total = torch.cuda.mem_get_info()
        return int(min(free, total * (limits.gpu_share if limits else 1.0)))
    free = int(_free_of_host() * _SHARE_OF_HOST)
    return min(limits.memory, free) if limits else free


def causal_bytes_per_token(config: PreTrainedConfig, machine: Machine, checkpointing: bool) -> float:
    """What a token keeps for the backward pass of a causal language model."""
    size = _AUTOCAST if machine.bf16 else _FLOAT32
    layer = (_HIDDEN * config.hidden_size + _FEED_FORWARD * config.intermediate_size) * size
    kept: float = (
        layer + config.num_hidden_layers * config.hidden_size * _FLOAT32
        if checkpointing
        else config.num_hidden_layers * layer
    )
    vocabulary: int = config.vocab_size
    return kept + vocabulary * _VOCABULARY


def encoder_bytes_per_token(
    config: PreTrainedConfig, longest: int, machine: Machine, checkpointing: bool
) -> float:
    """What a token keeps for the backward pass of an encoder, in rows of the `longest` length."""
    hidden, layers = config.hidden_size, config.num_hidden_layers
    forward = getattr(config, "intermediate_size", 4 * hidden)
    layer: float = (_ENCODER_HIDDEN * hidden + _ENCODER_FEED_FORWARD * forward) * (
        _AUTOCAST if machine.bf16 else _FLOAT32
    )
    if machine.device.type == "cpu":
        layer += config.num_attention_heads * longest * _LOOKED_AT
    kept: float = layer + layers * hidden * _FLOAT32 if checkpointing else layers * layer
    return kept


def _free_of_host(information: Path = Path("/proc/meminfo")) -> int:
    """Bytes that the host could still give; all that it has where it does not tell."""
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
