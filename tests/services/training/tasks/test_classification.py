"""One label for each text: what Quick learns beside the embedding, and that all of it reaches the engine."""

from pathlib import Path

import pytest
import torch

from services.inference import engine
from services.inference.predictions import LabelPrediction
from services.training import artefact
from services.training.networks import TextClassifier
from services.training.recipe import Preset, Task
from services.training.reporting.answered import ANSWERED, read
from services.training.run import run
from tests.services.training.tiny import create_run

BRIEF = {"epochs": 1, "learning_rate": 1e-3, "batch_size": 8}


def test_single_words_are_counted_where_they_help_and_the_engine_counts_them(
    tmp_path: Path, base_model: Path
) -> None:
    folder = create_run(tmp_path / "run", base_model)

    run(folder)

    network, _ = artefact.load(folder.model, torch.device("cpu"))
    assert isinstance(network, TextClassifier)
    assert network.words.weight.any()
    rows = [row for row in read((folder.model / ANSWERED).read_bytes()) if row.split == "test"]
    answers = engine.load(folder.model).predict([row.text for row in rows])
    given = [(one.label, one.score) for one in answers if isinstance(one, LabelPrediction)]
    assert [label for label, _ in given] == [row.predicted[0] for row in rows]
    assert [score for _, score in given] == pytest.approx([row.confidence[0] for row in rows], abs=1e-4)
    assert "Quick counts single words" in folder.events.read_text("utf-8")


@pytest.mark.parametrize("task", [Task.text_classification, Task.multi_label])
def test_training_goes_on_without_single_words(tmp_path: Path, base_model: Path, task: Task) -> None:
    folder = create_run(tmp_path / "run", base_model, task=task, preset=Preset.custom, **BRIEF)

    run(folder)

    first, _ = artefact.load(folder.first_model, torch.device("cpu"))
    last, _ = artefact.load(folder.model, torch.device("cpu"))
    assert isinstance(first, TextClassifier)
    assert isinstance(last, TextClassifier)
    assert first.words.weight.any()
    assert not last.words.weight.any()
