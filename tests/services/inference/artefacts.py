"""Models for tests: as a run leaves them, tiny, and with weights of chance."""

from pathlib import Path

import torch
from transformers import BertConfig

from services.training import artefact, tagging
from services.training.artefact import Card
from services.training.bases import catalogue
from services.training.networks import TextClassifier, WordClassifier, untrained
from services.training.recipe import DEFAULT_BASE_MODEL, Task


def create_model_folder(
    folder: Path, *, task: Task = Task.text_classification, labels: tuple[str, ...] = ("card", "rate")
) -> Path:
    """A model folder of four megabytes, made in a moment."""
    base = catalogue.resolve(DEFAULT_BASE_MODEL, folder)
    shape = BertConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, vocab_size=30_522
    )
    torch.manual_seed(7)
    following: list[list[float]] = []
    if task is Task.text_classification:
        outputs, network = list(labels), TextClassifier(untrained(shape), len(labels))
        architecture = "mean-pooled-linear"
    else:
        outputs = ["O", *(f"{prefix}-{label}" for label in labels for prefix in "BI")]
        network = WordClassifier(untrained(shape), len(outputs))
        architecture = "word-linear"
        following = tagging.following(outputs, [["O", *outputs[1:3]]])
    card = Card(
        task=task,
        outputs=outputs,
        labels=list(labels),
        max_length=64,
        architecture=architecture,
        following=following,
        base_model=DEFAULT_BASE_MODEL,
    )
    artefact.save(network, card, base, folder)
    return folder
