"""Chat versions for tests: adapters of chance over one tiny base."""

from pathlib import Path

import torch

from services.config import settings
from services.training import artefact
from services.training.adapting import Adapted, causal
from services.training.artefact import Card
from services.training.bases import catalogue
from services.training.recipe import DEFAULT_CHAT_MODEL, Preset, Task, defaults
from tests.services.training.tiny_chat import create_chat_model


def create_base() -> Path:
    """A tiny base where the default chat model is looked for."""
    entry = catalogue.get(DEFAULT_CHAT_MODEL)
    return create_chat_model(settings().cache_folder / f"{entry.id}@{entry.revision}")


def create_chat_folder(folder: Path, base: Path, *, seed: int = 1) -> Path:
    """A chat version's folder as a run leaves it, with an adapter that changes every answer."""
    network = Adapted(causal(base, torch.float32), defaults(Preset.quick, Task.chat))
    torch.manual_seed(seed)
    for weights in network.state_dict().values():
        weights.copy_(torch.randn_like(weights) * 0.15)
    card = Card(
        task=Task.chat,
        outputs=[],
        labels=[],
        max_length=512,
        architecture="causal-lora",
        base_model=DEFAULT_CHAT_MODEL,
    )
    artefact.save(network, card, base, folder)
    return folder
