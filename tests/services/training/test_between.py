"""Best ends at the likeliest point between Quick's weights and the tuned ones, and never below Quick."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from services.training import between, networks, stages
from services.training.between import Worth
from services.training.networks import TextClassifier
from services.training.process.events import EventKind, Phase
from services.training.process.folder import RunFolder
from services.training.process.journal import Journal, read
from services.training.process.wishes import PauseAsked
from services.training.recipe import Preset
from services.training.reporting.report import Report
from services.training.run import run
from services.training.stages import Quick, Reached
from tests.services.training.finetuning import SETTINGS, at_work
from tests.services.training.test_resumption import Killed, kill_at
from tests.services.training.tiny import create_run

QUICK_SCORE = 0.8
TUNED = Reached(0.9, tokens=7)
LEARNS = {"epochs": 2, "learning_rate": 5e-3, "batch_size": 8, "patience": 0}
LAYER = "encoder.layer.1.output.dense"


def fine_tune(network: TextClassifier, folder: RunFolder) -> dict[str, Tensor]:
    """Put a network aside as Quick, with words, and tune it: its bias goes from 0 to 1. Quick's weights."""
    network.words.load_state_dict({"weight": torch.ones(3, 2), "places": network.words.places + 2})
    torch.nn.init.zeros_(network.head.bias)
    stages.keep(network, Quick(Reached(QUICK_SCORE, tokens=1)), folder.quick)
    quick = {name: weight.clone() for name, weight in network.state_dict().items()}
    networks.freeze_embedding_table(network.encoder)
    network.words.forget()
    for weight in network.parameters():
        if weight.requires_grad:
            weight.data += 1
    return quick


def share(network: TextClassifier) -> float:
    """How far a network is from Quick to what was tuned."""
    return round(float(network.head.bias.detach().mean()), 2)


def told(network: TextClassifier, points: dict[float, Worth], other: Worth) -> Callable[[], Worth]:
    """What validation rows say at these shares, and at every other one."""
    return lambda: points.get(share(network), other)


def choose(folder: RunFolder, network: TextClassifier, worth: Callable[[], Worth]) -> Reached:
    return between.choose(at_work(folder, SETTINGS), network, TUNED, worth, quick_score=QUICK_SCORE)


def notes(folder: RunFolder) -> list[str]:
    return [event.message for event in read(folder.events) if event.message]


def test_the_likeliest_point_in_between_is_taken_with_all_that_quick_has(
    tmp_path: Path, network: TextClassifier
) -> None:
    folder = RunFolder(tmp_path)
    quick = fine_tune(network, folder)
    tuned = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    worth = told(network, {0.5: Worth(0.85, -0.1), 0.7: Worth(0.95, -0.2)}, Worth(0.9, -0.3))

    reached = choose(folder, network, worth)

    assert reached == Reached(0.85, tokens=7)
    table = "encoder.embeddings.word_embeddings.weight"
    found = network.state_dict()
    assert all(torch.equal(found[name], quick[name]) for name in ("words.weight", "words.places", table))
    assert all(
        torch.allclose(found[name], (quick[name] + weight) / 2)
        for name, weight in tuned.items()
        if not name.startswith("words.")
    )
    assert notes(folder) == [
        "The model's weights lie 50% of the way from Quick's to the fine-tuned ones: there the "
        "validation rows are likeliest. Their score is 85.0%; with the fine-tuned weights alone it is 90.0%."
    ]


def test_no_point_that_answers_fewer_rows_than_quick_is_taken_where_there_is_another(
    tmp_path: Path, network: TextClassifier
) -> None:
    folder = RunFolder(tmp_path)
    fine_tune(network, folder)
    worth = told(network, {0.5: Worth(0.79, -0.1), 0.3: Worth(0.8, -0.2)}, Worth(0.9, -0.3))

    reached = choose(folder, network, worth)

    assert (reached.score, share(network)) == (0.8, 0.3)


def test_where_quick_is_never_reached_the_network_stays_as_it_was_tuned(
    tmp_path: Path, network: TextClassifier
) -> None:
    folder = RunFolder(tmp_path)
    fine_tune(network, folder)
    tuned = {name: weight.clone() for name, weight in network.state_dict().items()}
    worth = told(network, {1.0: Worth(0.7, -0.3)}, Worth(0.79, -0.1))

    reached = choose(folder, network, worth)

    assert reached.score == 0.7
    assert all(torch.equal(weight, tuned[name]) for name, weight in network.state_dict().items())
    assert notes(folder) == []


def test_a_pause_is_heeded_from_point_to_point(tmp_path: Path, network: TextClassifier) -> None:
    folder = RunFolder(tmp_path)
    fine_tune(network, folder)
    asked: list[float] = []

    def ask_for_a_pause() -> Worth:
        asked.append(share(network))
        folder.pause.touch()
        return Worth(0.9, -0.1)

    with pytest.raises(PauseAsked):
        choose(folder, network, ask_for_a_pause)

    assert asked == [1.0]


def create_best(folder: Path, base_model: Path, preset: Preset = Preset.best) -> RunFolder:
    return create_run(folder, base_model, preset=preset, **LEARNS)


def second_point(folder: RunFolder) -> int:
    """The number of the event that tells of the second point of a run that is over."""
    events = [(event.phase, event.kind) for event in read(folder.events)]
    points = [number for number, one in enumerate(events, 1) if one == (Phase.evaluating, EventKind.progress)]
    return points[1]


class Ended(NamedTuple):
    """A run that is over, and what it came to."""

    folder: RunFolder
    report: Report
    weights: dict[str, Tensor]


def end(folder: RunFolder) -> Ended:
    return Ended(folder, run(folder), load_file(folder.model / "model.safetensors"))


@pytest.fixture
def end_both_ways(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], tuple[Ended, Ended]]:
    """The same run without a break, and one that is killed between two points and started again."""

    def end_them() -> tuple[Ended, Ended]:
        whole = end(create_best(tmp_path / "whole", base_model))
        killed = create_best(tmp_path / "killed", base_model)
        with monkeypatch.context() as patch:
            kill_at(second_point(whole.folder), patch)
            with pytest.raises(Killed):
                run(killed)
        return whole, end(killed)

    return end_them


def assert_alike(one: Ended, other: Ended) -> None:
    assert one.report.validation_value == other.report.validation_value
    assert all(torch.allclose(one.weights[name], other.weights[name], atol=1e-5) for name in other.weights)


def test_a_run_that_is_killed_between_two_points_ends_as_one_that_was_not(
    end_both_ways: Callable[[], tuple[Ended, Ended]],
) -> None:
    whole, killed = end_both_ways()

    told, told_again = (
        [note for note in notes(one.folder) if "of the way from Quick's" in note] for one in (whole, killed)
    )
    assert len(told) == 1
    assert told_again == told
    assert_alike(killed, whole)


def test_a_stopped_run_that_is_killed_between_two_points_ends_as_one_that_was_not(
    end_both_ways: Callable[[], tuple[Ended, Ended]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = Journal.progress

    def stop_soon(self: Journal, step: int, steps: int, **rest: Any) -> None:
        tell(self, step, steps, **rest)
        if "learning_rate" in rest and step == 20:
            (self._path.parent / "stop").touch()

    monkeypatch.setattr(Journal, "progress", stop_soon)

    whole, killed = end_both_ways()

    assert killed.report.stopped_at_step == whole.report.stopped_at_step == 21
    assert_alike(killed, whole)
    table, layer = (f"encoder.{name}.weight" for name in ("embeddings.word_embeddings", LAYER))
    quick = load_file(whole.folder.first_model / "model.safetensors")
    assert torch.equal(whole.weights[table], quick[table])
    assert not torch.equal(whole.weights[layer], quick[layer])


def test_custom_is_left_where_it_was_tuned(tmp_path: Path, base_model: Path) -> None:
    best, custom = (create_best(tmp_path / name, base_model, Preset(name)) for name in ("best", "custom"))

    run(best)
    run(custom)

    assert any("of the way from Quick's" in note for note in notes(best))
    assert not any("of the way from Quick's" in note for note in notes(custom))
