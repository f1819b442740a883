"""A loss that runs away is told from one that is noisy, warms up or comes back."""

from itertools import count
from pathlib import Path

import pytest
import torch
from torch import Tensor

from services.training.divergence import diverges
from services.training.failures import LossIsNotANumber, LossRunsAway
from services.training.networks import TextClassifier
from services.training.process.events import EventKind
from services.training.process.folder import RunFolder
from services.training.process.journal import read
from services.training.recipe import Preset
from services.training.run import main, run
from tests.services.training.finetuning import train
from tests.services.training.tiny import create_run

EARLY = [0.7, 0.6, 0.65, 0.6, 0.62]


def test_only_a_loss_that_rises_far_and_stays_there_runs_away() -> None:
    assert diverges([*EARLY, *[3.0] * 10])
    assert diverges([*EARLY, *[0.5] * 80, *range(2, 12)])

    assert not diverges([])
    assert not diverges([*EARLY, *[3.0] * 9])
    assert not diverges([*EARLY, *[0.9] * 50])
    assert not diverges([*EARLY, *[3.0] * 5, *[1.3] * 5])
    assert not diverges([*EARLY, *[3.0, 0.5] * 20])
    # Near zero a loss doubles without harm.
    assert not diverges([*[0.01] * 5, *[0.2] * 40])


@pytest.fixture
def runaway(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss that grows from the eighth pass on, whatever is learned."""
    forward, passes = TextClassifier.forward, count()

    def grows(
        self: TextClassifier, input_ids: Tensor, attention_mask: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        found = forward(self, input_ids, attention_mask, labels)
        return {"loss": found["loss"] + 5.0 * (next(passes) >= 8)}

    monkeypatch.setattr(TextClassifier, "forward", grows)


@pytest.mark.usefixtures("runaway")
def test_a_run_that_diverges_is_left_at_its_best(tmp_path: Path, network: TextClassifier) -> None:
    folder, seen = RunFolder(tmp_path), list[Tensor]()

    def scores():
        for value in (0.8, 0.3, 0.2, 0.1):
            seen.append(network.head.weight.detach().clone())
            yield value

    reached = train(network, folder, scores())

    assert (reached.score, reached.diverged_at) == (0.8, 18)
    assert torch.equal(network.head.weight, seen[0])
    [note] = [event.message for event in read(folder.events) if event.kind is EventKind.note]
    assert note is not None
    assert "did not come down again" in note
    assert "The best so far is kept" in note


@pytest.mark.usefixtures("runaway")
def test_a_run_that_diverges_before_its_first_evaluation_fails_by_name(
    tmp_path: Path, network: TextClassifier
) -> None:
    with pytest.raises(LossRunsAway) as failure:
        train(network, RunFolder(tmp_path), iter(()), epochs=1, batch_size=1)

    assert (failure.value.code, failure.value.whose) == ("diverging_loss", "data")
    assert "Try a third" in failure.value.message


CHANGES = {"epochs": 2, "batch_size": 4, "learning_rate": 1e-3, "patience": 0}


@pytest.mark.usefixtures("runaway")
def test_a_best_that_diverges_publishes_its_best_and_says_so(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, preset=Preset.best, **CHANGES)

    report = run(folder)

    assert report.diverged_at_step == 18
    assert report.validation_value > 0.5
    assert any(
        "The Quick model is published" in (event.message or "")
        for event in read(folder.events)
        if event.kind is EventKind.note
    )


@pytest.mark.usefixtures("runaway")
def test_a_custom_run_that_diverges_leaves_no_model(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, preset=Preset.custom, **CHANGES)

    assert main(folder.path) == 1

    assert "diverging_loss" in folder.failure.read_text()
    assert not folder.report.exists()
    assert not folder.model.exists()


def test_a_loss_that_is_no_number_keeps_the_best_as_well(
    tmp_path: Path, network: TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward, passes = TextClassifier.forward, count()

    def breaks(
        self: TextClassifier, input_ids: Tensor, attention_mask: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        found = forward(self, input_ids, attention_mask, labels)
        return {"loss": found["loss"] * (float("nan") if next(passes) >= 8 else 1.0)}

    monkeypatch.setattr(TextClassifier, "forward", breaks)

    reached = train(network, RunFolder(tmp_path), iter((0.8, 0.7, 0.6, 0.5)))

    assert (reached.score, reached.diverged_at) == (0.8, 9)
    assert all(bool(weight.isfinite().all()) for weight in network.parameters())
    (tmp_path / "other").mkdir()
    with pytest.raises(LossIsNotANumber):
        train(network, RunFolder(tmp_path / "other"), iter((0.8,)))
