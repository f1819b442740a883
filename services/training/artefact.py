"""The trained model as files: `tuneport.json`, config, tokenizer and safetensors; nothing to execute.

A chat model stands there twice: merged, as any reader of safetensors loads it, and as an adapter of its base.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict
from safetensors.torch import load_file, save_file

from services.training.bases.catalogue import CHAT_TEMPLATE, WEIGHTS, chat_template
from services.training.context import Run
from services.training.networks import (
    MultiLabelClassifier,
    Network,
    PairClassifier,
    PairScorer,
    TextClassifier,
    TextScorer,
    TokenClassifier,
    WordClassifier,
    WordTable,
    read_config,
    untrained,
)
from services.training.recipe import Task
from services.training.tokenizing import TOKENIZER, tell_marks

if TYPE_CHECKING:
    from services.training.adapting import Adapted

CARD = "tuneport.json"
_NETWORKS: dict[str, type[Network]] = {
    "mean-pooled-linear": TextClassifier,
    "mean-pooled-sigmoid": MultiLabelClassifier,
    "mean-pooled-score": TextScorer,
    "pair-linear": PairClassifier,
    "pair-score": PairScorer,
    "word-linear": WordClassifier,
    # Of versions that were trained before there was the one above.
    "token-linear": TokenClassifier,
}


Architecture = Literal[
    "mean-pooled-linear",
    "mean-pooled-sigmoid",
    "mean-pooled-score",
    "pair-linear",
    "pair-score",
    "word-linear",
    "token-linear",
    "causal-lora",
]


class Scale(BaseModel):
    """From the network's output to a score: output · deviation + mean, four of five within `error` of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    deviation: float
    # The 80 % quantile of absolute errors on the validation split.
    error: float


class Card(BaseModel):
    """`tuneport.json`: all that prediction needs to know besides the weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    task: Task
    # The head's outputs in their order: labels, or IOB2 tags.
    outputs: list[str]
    # Labels, or entity types.
    labels: list[str]
    max_length: int
    architecture: Architecture
    base_model: str
    # Two texts are read at a time.
    pairs: bool = False
    # Of several labels for each text: from which probability on each output is given, in the outputs' order.
    thresholds: list[float] = []
    # Of entities: what each tag tells of the next one (services/training/tagging.py).
    following: list[list[float]] = []
    # Of scores.
    scale: Scale | None = None
    # What logits are divided by to become probabilities (services/training/reporting/calibration.py).
    temperature: float = 1.0


def card(run: Run, architecture: Architecture, **more: Any) -> Card:
    """The card of a model that answers with the run's labels, unless `more` fields say otherwise."""
    told = {"outputs": run.labels, "labels": run.labels, **more}
    return Card(
        task=run.recipe.task,
        architecture=architecture,
        base_model=run.recipe.base_model,
        max_length=run.settings.max_length,
        **told,
    )


def save(network: "Network | Adapted", told: Card, base_model: Path, folder: Path) -> None:
    """Write a trained network; the tokenizer is the base model's own."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(base_model / TOKENIZER, folder / TOKENIZER)
    if isinstance(network, Network):
        network.encoder.config.save_pretrained(folder)
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
        save_file(weights, folder / WEIGHTS)
    else:
        network.config.save_pretrained(folder)
        network.save(told.base_model, folder)
        (folder / CHAT_TEMPLATE).write_text(chat_template(base_model), "utf-8")
        tell_marks(folder, network.config.eos_token_id)
    (folder / CARD).write_text(told.model_dump_json(indent=1), "utf-8")


def read_card(folder: Path) -> Card:
    """What an artefact says of itself."""
    return Card.model_validate_json((folder / CARD).read_text("utf-8"))


def load(folder: Path, device: torch.device) -> tuple[Network, Card]:
    """The network of an artefact, ready to predict."""
    told = read_card(folder)
    network = _NETWORKS[told.architecture](untrained(read_config(folder)), len(told.outputs))
    weights = load_file(folder / WEIGHTS)
    if isinstance(network, TextClassifier):
        _tell_words(network.words, weights)
    network.load_state_dict(weights)
    network.temperature = told.temperature
    return network.to(device).eval(), told


def _tell_words(words: WordTable, weights: dict[str, torch.Tensor]) -> None:
    """What artefacts lack that were made before words were counted, or when each sub-word had a row."""
    if "words.weight" not in weights:
        weights |= {f"words.{name}": part for name, part in words.state_dict().items()}
    elif "words.places" not in weights:
        weights["words.places"] = torch.arange(len(words.places), dtype=torch.int32)
