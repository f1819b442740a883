"""Fine-tuning of a small network on a few rows, with the scores that a test wants."""

from collections.abc import Iterator

import torch
from torch import Tensor

from services.training import batches
from services.training.context import Run
from services.training.finetune import Row, finetune
from services.training.machine import Machine
from services.training.networks import TextClassifier
from services.training.process.events import EventKind
from services.training.process.folder import RunFolder
from services.training.process.journal import Journal, read
from services.training.recipe import Hyperparameters, Preset, Recipe, RunSpec, Task
from services.training.stages import Reached

CPU = Machine(torch.device("cpu"), False, "test")
SETTINGS = Hyperparameters(
    epochs=4, learning_rate=1e-3, batch_size=4, max_length=32, patience=0, weight_decay=0.0, warmup_ratio=0.0
)


class Interrupted(Exception):
    """The run was killed."""


def create_rows(count: int = 24) -> list[Row]:
    """Rows of very different lengths."""
    return [
        {"input_ids": [2, *[35 + number % 9] * (1 + number % 12), 3], "labels": number % 2}
        for number in range(count)
    ]


def collate(rows: list[Row]) -> dict[str, Tensor]:
    tensors = batches.inputs([row["input_ids"] for row in rows], 0)
    return {**tensors, "labels": torch.tensor([row["labels"] for row in rows])}


def train(network: TextClassifier, folder: RunFolder, scores: Iterator[float], **changes: float) -> Reached:
    def score() -> dict[str, float]:
        value = next(scores)
        if value < 0:
            raise Interrupted
        return {"accuracy": value}

    settings = SETTINGS.model_copy(update=changes)
    return finetune(at_work(folder, settings), network, create_rows(), collate, score, metric="accuracy")


def at_work(folder: RunFolder, settings: Hyperparameters) -> Run:
    recipe = Recipe(task=Task.text_classification, preset=Preset.custom, hyperparameters=settings, seed=1)
    spec = RunSpec(recipe=recipe, base_model_path=folder.path, labels=["a", "b"], data_hash="0" * 64)
    return Run(folder, spec, CPU, Journal(folder.events))


def steps(folder: RunFolder, kind: EventKind) -> list[int]:
    return [event.step for event in read(folder.events) if event.kind is kind]
