"""A run that gets too little memory computes less at once, and says so; where nothing fits it is refused."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from services.training import memory
from services.training.failures import DoesNotFitMemory
from services.training.machine import Machine
from services.training.memory import Fit, fit_encoder
from services.training.networks import TextClassifier, pretrained
from services.training.process.events import EventKind
from services.training.process.folder import RunFolder
from services.training.process.journal import read
from services.training.recipe import Preset
from services.training.run import main, run
from tests.services.training.finetuning import train
from tests.services.training.tiny import create_run

CPU = Machine(torch.device("cpu"), False, "test")
LEARNS = {"epochs": 3, "learning_rate": 2e-3, "batch_size": 8, "patience": 0}


def notes(folder: RunFolder) -> list[str]:
    return [event.message or "" for event in read(folder.events) if event.kind is EventKind.note]


def hold(most: int, patch: pytest.MonkeyPatch, error: type[BaseException] = torch.OutOfMemoryError) -> None:
    """Give memory for so many rows in a training pass, and no more."""
    forward = TextClassifier.forward

    def greedy(
        self: TextClassifier, input_ids: Tensor, attention_mask: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        if len(input_ids) > most:
            raise error
        return forward(self, input_ids, attention_mask, labels)

    patch.setattr(TextClassifier, "forward", greedy)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError])
def test_a_run_out_of_memory_goes_on_by_halves_and_learns_the_same(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    whole, held = (
        create_run(tmp_path / name, base_model, preset=Preset.custom, **LEARNS) for name in ("whole", "held")
    )
    expected = run(whole)
    hold(4, monkeypatch, error)

    report = run(held)

    assert [note for note in notes(held) if "half as much" in note] == [
        "The memory did not suffice at step 0: from here on half as much is computed at once."
    ]
    ours, theirs = (
        [event.values["loss"] for event in read(folder.events) if "learning_rate" in event.values]
        for folder in (held, whole)
    )
    assert ours == pytest.approx(theirs, abs=2e-3)
    assert report.value == expected.value


def test_half_as_much_is_tried_once(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = create_run(tmp_path / "run", base_model, preset=Preset.custom, **LEARNS)
    hold(2, monkeypatch)

    assert main(folder.path) == 1
    assert "out_of_memory" in folder.failure.read_text()
    assert '"data"' in folder.failure.read_text()


def test_a_resumed_run_remembers_and_tells_that_memory_is_short(
    tmp_path: Path, network: TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path)
    hold(2, monkeypatch)
    assert folder.ask_for_smaller()
    assert not folder.ask_for_smaller()

    reached = train(network, folder, iter((0.1, 0.2, 0.3, 0.4)))

    assert reached.score == 0.4
    assert not any("did not suffice" in note for note in notes(folder))


def test_rows_are_divided_before_layers_compute_twice(base_model: Path) -> None:
    config = pretrained(base_model).config

    def fit(room: int) -> Fit:
        return fit_encoder(config, 1_000, 64, 8, CPU, room=room)

    assert fit(10**9) == Fit(8, False)
    assert fit(1_000_000) == Fit(2, False)
    assert fit(500_000) == Fit(1, False)
    # A quarter of a megabyte for a row of 64 tokens, and what the weights that learn take.
    assert fit(300_000) == Fit(1, True)
    with pytest.raises(DoesNotFitMemory):
        fit(250_000)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
@pytest.mark.parametrize(
    ("room", "told"), [(120_000, "are computed at once"), (40_000, "layers compute twice"), (1_000, "")]
)
def test_the_memory_is_looked_at_before_training(
    tmp_path: Path, network: TextClassifier, monkeypatch: pytest.MonkeyPatch, room: int, told: str
) -> None:
    folder = RunFolder(tmp_path)
    learning = sum(weight.numel() for weight in network.parameters())
    monkeypatch.setattr(memory, "left", lambda _: learning * 12 + room)

    if not told:
        with pytest.raises(DoesNotFitMemory) as refusal:
            train(network, folder, iter(()))
        assert refusal.value.code == "does_not_fit_memory"
    else:
        assert train(network, folder, iter((0.1, 0.2, 0.3, 0.4))).score == 0.4
        assert any(told in note for note in notes(folder))
