"""An operator's own base models: what is found out of a repository or a folder, and written into a file."""

import hashlib
import json
from math import ceil
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedConfig

from services.errors import Conflict, Invalid
from services.training import memory, networks
from services.training.bases import catalogue
from services.training.bases.catalogue import WEIGHTS, Entry
from services.training.machine import Machine
from services.training.recipe import Task
from services.training.tokenizing import TOKENIZER, load_tokenizer

_ROW = 256
# Parameters up to which a price class goes.
_SMALL, _MEDIUM = 40_000_000, 130_000_000
# What of a repository says whose it is and what it reads.
_ABOUT = "README.md"


class BaseModelTaken(Conflict):
    """The catalogue has this id."""

    code = "base_model_taken"

    def __init__(self, base_model: str) -> None:
        super().__init__(f"There is a base model “{base_model}” already. Pin this one under another id.")


class BaseModelUnfit(Invalid):
    """What is to be pinned is no base model that we can train."""

    code = "base_model_unfit"

    def __init__(self, source: str, why: str) -> None:
        super().__init__(
            f"{source} cannot be pinned: {why}. A base model is an encoder with config.json, tokenizer.json "
            "and model.safetensors."
        )


def pin(base_model: str, source: str, *, own: Path, cache: Path) -> Entry:
    """Add a hub's repository, or a folder of this machine, to the operator's file of base models.

    The newest revision is fetched, its weights are loaded and hashed; only that is used from then on.

    Raises:
        BaseModelTaken: the catalogue has this id.
        BaseModelUnfit: it is no encoder that can be read safely.
        BaseModelMissing: the hub does not give it.
    """
    if base_model in catalogue.ids():
        raise BaseModelTaken(base_model)
    folder, where, revision = _fetched(base_model, source, cache)
    entry = _examined(base_model, source, folder, where, revision)
    own.parent.mkdir(parents=True, exist_ok=True)
    with own.open("a", encoding="utf-8") as file:
        # JSON's texts, numbers and lists are TOML's as well.
        lines = (f"{name} = {json.dumps(value)}\n" for name, value in entry.model_dump(mode="json").items())
        file.write(f"\n[[model]]\n{''.join(lines)}")
    catalogue.entries.cache_clear()
    return entry


def _fetched(base_model: str, source: str, cache: Path) -> tuple[Path, str, str]:
    """The folder, the entry's source and its revision."""
    if Path(source).is_dir():
        folder = Path(source).resolve()
        return folder, f"folder:{folder}", "local"
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        revision = HfApi().model_info(source).sha or ""
        folder = cache / f"{base_model}@{revision[:12]}"
        wanted = ["config.json", TOKENIZER, WEIGHTS, _ABOUT]
        snapshot_download(source, revision=revision, local_dir=folder, allow_patterns=wanted)
    except (OSError, HfHubHTTPError, ValueError) as error:
        raise catalogue.BaseModelMissing(base_model) from error
    return folder, f"hub:{source}", revision


def _examined(base_model: str, source: str, folder: Path, where: str, revision: str) -> Entry:
    for name in ("config.json", TOKENIZER, WEIGHTS):
        if not (folder / name).is_file():
            raise BaseModelUnfit(source, f"{name} is missing")
    try:
        config = networks.read_config(folder)
        encoder = networks.pretrained(folder)
        load_tokenizer(folder)
    except (OSError, ValueError, RuntimeError) as error:
        raise BaseModelUnfit(source, f"it cannot be read ({error})") from error
    if any("CausalLM" in str(one) for one in config.architectures or ()):
        raise BaseModelUnfit(source, "it writes text and does not read it")
    with (folder / WEIGHTS).open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    parameters = sum(weight.numel() for weight in encoder.parameters())
    tables = sum(part.weight.numel() for part in encoder.modules() if isinstance(part, nn.Embedding))
    per_token = memory._encoder_bytes_per_token(
        config, _ROW, Machine(torch.device("cpu"), False, ""), checkpointing=False
    )
    licence, languages = _about(folder / _ABOUT)
    return Entry(
        id=base_model,
        name=base_model,
        source=where,
        revision=revision,
        sha256=digest,
        licence=licence,
        parameters=parameters,
        computed=parameters - tables,
        max_length=_longest(config),
        memory_per_row=ceil(per_token * _ROW / 2**20),
        languages=languages,
        tasks=[task for task in Task if task.trainable and task is not Task.chat],
        price_class="small" if parameters <= _SMALL else "medium" if parameters <= _MEDIUM else "large",
    )


def _longest(config: PreTrainedConfig) -> int:
    positions: int = getattr(config, "max_position_embeddings", 512)
    # RoBERTa and its kin count positions from behind the padding's id.
    before = 2 if config.model_type in {"roberta", "xlm-roberta", "camembert"} else 0
    return positions - before


def _about(card: Path) -> tuple[str, list[str]]:
    """Licence and languages, as a repository's card tells them."""
    from huggingface_hub import ModelCard

    if not card.is_file():
        return "unknown", ["unknown"]
    told = ModelCard.load(card).data
    languages = told.language or ["unknown"]
    return told.license or "unknown", [languages] if isinstance(languages, str) else list(languages)
