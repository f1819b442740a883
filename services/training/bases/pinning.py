"""An operator's own base models: what is found out of a repository or a folder, and written into a file."""

import hashlib
import json
from math import ceil
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedConfig

from services.errors import Conflict, Invalid
from services.training import adapting, memory, networks
from services.training.bases import catalogue
from services.training.bases.catalogue import CHAT_TEMPLATE, TOKENIZER_CONFIG, WEIGHTS, Entry
from services.training.conversations import ASSISTANT, TemplateUnsuitable, load_format
from services.training.examples import Message
from services.training.machine import Machine
from services.training.recipe import Task
from services.training.tokenizing import TOKENIZER, load_tokenizer

_ROW, _CHAT_ROW = 256, 512
_SPOKEN = (Message(role="user", content="Hello"), Message(role=ASSISTANT, content="Good day"))
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
            f"{source} cannot be pinned: {why}. A base model is an encoder, or a causal language model with "
            "a chat template, that has config.json, tokenizer.json and one model.safetensors."
        )


def pin(base_model: str, source: str, *, own: Path, cache: Path) -> Entry:
    """Add a hub's repository, or a folder of this machine, to the operator's file of base models.

    The newest revision is fetched, its weights are loaded and hashed; only that is used from then on.

    Raises:
        BaseModelTaken: the catalogue has this id.
        BaseModelUnfit: it cannot be read safely, or not be trained by us.
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
        wanted = ["config.json", TOKENIZER, WEIGHTS, CHAT_TEMPLATE, TOKENIZER_CONFIG, _ABOUT]
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
        chats = any("CausalLM" in str(one) for one in config.architectures or ())
        model = adapting.causal(folder, torch.bfloat16) if chats else networks.pretrained(folder)
        load_tokenizer(folder)
    # The library of tokenizers raises nothing more special.
    except Exception as error:
        raise BaseModelUnfit(source, f"it cannot be read ({error})") from error
    if chats:
        _speaks(source, config, folder)
    with (folder / WEIGHTS).open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    parameters = sum(weight.numel() for weight in model.parameters())
    # A vocabulary that answers are chosen from is computed with, also where it is the table of the input.
    chosen_from = {id(part.weight) for part in model.modules() if isinstance(part, nn.Linear)}
    tables = [part.weight for part in model.modules() if isinstance(part, nn.Embedding)]
    looked_up = sum(table.numel() for table in tables if id(table) not in chosen_from)
    processor = Machine(torch.device("cpu"), False, "")
    per_row = (
        memory.causal_bytes_per_token(config, processor, checkpointing=False) * _CHAT_ROW
        if chats
        else memory.encoder_bytes_per_token(config, _ROW, processor, checkpointing=False) * _ROW
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
        computed=parameters - looked_up,
        max_length=_longest(config),
        memory_per_row=ceil(per_row / 2**20),
        languages=languages,
        tasks=[task for task in Task if task.trainable and (task is Task.chat) is chats],
        price_class="small" if parameters <= _SMALL else "medium" if parameters <= _MEDIUM else "large",
    )


def _speaks(source: str, config: PreTrainedConfig, folder: Path) -> None:
    """Go on only with a chat template that ends the assistant's turns with the config's own mark."""
    end = config.eos_token_id
    if not isinstance(end, int):
        raise BaseModelUnfit(source, "its config names no single token that ends a turn")
    try:
        load_format(folder, end).encode(_SPOKEN)
    except TemplateUnsuitable as error:
        raise BaseModelUnfit(source, f"its chat template cannot be learned from ({error})") from error


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
