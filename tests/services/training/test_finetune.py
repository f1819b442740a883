from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from services.training import networks
from services.training.failures import LossIsNotANumber
from services.training.finetune import Row, finetune
from services.training.networks import TextClassifier
from services.training.process.events import EventKind
from services.training.process.folder import RunFolder
from services.training.process.journal import rewind
from services.training.process.wishes import PauseAsked
from services.training.stages import Reached
from tests.services.training.finetuning import (
    SETTINGS,
    Interrupted,
    at_work,
    collate,
    create_rows,
    steps,
    train,
)


def test_the_network_is_left_at_its_best_score(tmp_path: Path, network: TextClassifier) -> None:
    folder = RunFolder(tmp_path)
    seen: list[Tensor] = []

    def scores() -> Iterator[float]:
        for value in (0.2, 0.9, 0.4, 0.5):
            seen.append(network.head.weight.detach().clone())
            yield value

    reached = train(network, folder, scores())

    assert reached.score == 0.9
    assert torch.equal(network.head.weight, seen[1])


def test_a_run_that_was_cut_off_goes_on_where_it_was(
    tmp_path: Path, base_model: Path, network: TextClassifier
) -> None:
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    for folder in (whole, broken):
        folder.path.mkdir()
    torch.manual_seed(0)
    other = TextClassifier(networks.pretrained(base_model), 2)
    train(network, whole, iter((0.1, 0.2, 0.3, 0.4)))

    with pytest.raises(Interrupted):
        train(other, broken, iter((0.1, 0.2, -1)))
    torch.manual_seed(99)
    again = TextClassifier(networks.pretrained(base_model), 2)
    rewind(broken)
    reached = train(again, broken, iter((0.3, 0.4)))

    assert reached.score == 0.4
    assert steps(broken, EventKind.progress) == steps(whole, EventKind.progress) == list(range(1, 25))
    assert steps(broken, EventKind.metric) == [6, 12, 18, 24]
    assert all(
        torch.allclose(ours, theirs, atol=1e-6)
        for ours, theirs in zip(again.state_dict().values(), network.state_dict().values(), strict=True)
    )


def test_a_run_that_pauses_within_an_epoch_goes_on_as_if_it_had_not(
    tmp_path: Path, base_model: Path, network: TextClassifier
) -> None:
    whole, paused = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "paused")
    for folder in (whole, paused):
        folder.path.mkdir()
    torch.manual_seed(0)
    other = TextClassifier(networks.pretrained(base_model), 2)
    train(network, whole, iter((0.1, 0.2, 0.3, 0.4)))

    def ask_for_a_pause() -> Iterator[float]:
        yield 0.1
        paused.stage("full").joinpath("checkpoint-12").mkdir()  # in the way, as after an earlier kill
        paused.pause.touch()
        yield 0.2

    # Asked while it evaluates after step 12, where it saves anyway; then again after step 12, so at step 13.
    for scores in (ask_for_a_pause(), iter(())):
        with pytest.raises(PauseAsked):
            train(other, paused, scores)
        rewind(paused)
    left_off = paused.last_checkpoint("full")
    paused.pause.unlink()
    torch.manual_seed(99)
    again = TextClassifier(networks.pretrained(base_model), 2)
    reached = train(again, paused, iter((0.3, 0.4)))

    assert left_off == paused.stage("full") / "checkpoint-13"
    assert reached == Reached(0.4, tokens=4 * sum(len(row["input_ids"]) for row in create_rows()))
    for kind in (EventKind.progress, EventKind.metric):
        assert steps(paused, kind) == steps(whole, kind)
    assert all(
        torch.allclose(ours, theirs, atol=1e-6)
        for ours, theirs in zip(again.state_dict().values(), network.state_dict().values(), strict=True)
    )


def test_a_run_that_is_asked_to_stop_keeps_its_best(tmp_path: Path, network: TextClassifier) -> None:
    folder = RunFolder(tmp_path)

    def ask_to_stop() -> Iterator[float]:
        yield 0.9
        yield 0.2
        folder.stop.touch()
        yield 0.3

    reached = train(network, folder, ask_to_stop())

    assert (reached.score, reached.stopped_at) == (0.9, 18)
    assert steps(folder, EventKind.metric) == [6, 12, 18]


def test_a_run_that_is_asked_to_stop_between_evaluations_evaluates_at_once(
    tmp_path: Path, network: TextClassifier
) -> None:
    folder = RunFolder(tmp_path)
    folder.stop.touch()

    reached = train(network, folder, iter((0.7,)))

    assert (reached.score, reached.stopped_at) == (0.7, 1)
    assert steps(folder, EventKind.progress) == steps(folder, EventKind.metric) == [1]


def test_training_that_was_over_is_not_taken_up_again(tmp_path: Path, network: TextClassifier) -> None:
    folder = RunFolder(tmp_path)
    before = train(network, folder, iter((0.2, 0.9, 0.4, 0.5)), patience=2)
    best = network.head.weight.detach().clone()
    network.head.weight.data.zero_()

    again = train(network, folder, iter(()), patience=2)

    assert again == before
    assert torch.equal(network.head.weight, best)
    assert steps(folder, EventKind.metric) == [6, 12, 18, 24]


def test_many_short_epochs_are_evaluated_twelve_times(tmp_path: Path, network: TextClassifier) -> None:
    train(network, RunFolder(tmp_path), iter([0.5] * 12), epochs=24)

    assert steps(RunFolder(tmp_path), EventKind.metric) == list(range(12, 145, 12))


def test_a_checkpoint_cut_off_in_the_writing_is_passed_over(tmp_path: Path, network: TextClassifier) -> None:
    folder = RunFolder(tmp_path)
    with pytest.raises(Interrupted):
        train(network, folder, iter((0.1, 0.2, -1)))
    (folder.stage("full") / "checkpoint-18").mkdir()
    (folder.stage("full") / "checkpoint-18" / "model.safetensors").write_bytes(b"half")

    rewind(folder)

    assert folder.last_checkpoint("full") == folder.stage("full") / "checkpoint-12"
    assert train(network, folder, iter((0.3, 0.4))).score == 0.4


def test_a_resumed_run_remembers_its_best_score_and_its_patience(
    tmp_path: Path, network: TextClassifier
) -> None:
    folder = RunFolder(tmp_path)
    with pytest.raises(Interrupted):
        train(network, folder, iter((0.9, 0.2, -1)), patience=2)

    rewind(folder)
    reached = train(network, folder, iter((0.3, 0.95)), patience=2)

    assert reached.score == 0.9
    assert steps(folder, EventKind.metric) == [6, 12, 18]


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path, network: TextClassifier) -> None:
    network.encoder.encoder.layer[0].output.dense.weight.data.fill_(float("nan"))

    with pytest.raises(LossIsNotANumber, match="step 1") as failed:
        train(network, RunFolder(tmp_path), iter(()))

    assert "0.001" in failed.value.message
    assert steps(RunFolder(tmp_path), EventKind.progress) == []


def test_training_groups_rows_by_length(tmp_path: Path, network: TextClassifier) -> None:
    widths: list[list[int]] = []

    def spy(rows: list[Row]) -> dict[str, Tensor]:
        widths.append([len(row["input_ids"]) for row in rows])
        return collate(rows)

    run = at_work(RunFolder(tmp_path), SETTINGS.model_copy(update={"epochs": 1}))
    finetune(run, network, create_rows(200), spy, lambda: {"accuracy": 0.5}, metric="accuracy")

    padding = sum(max(batch) * len(batch) - sum(batch) for batch in widths)
    # In batches of chance more than a third would be padding.
    assert padding < 0.1 * sum(map(sum, widths))
