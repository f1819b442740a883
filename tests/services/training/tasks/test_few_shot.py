"""Few-shot: what helps where labels have a handful of rows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from services.inference import engine
from services.inference.predictions import LabelPrediction
from services.training.context import Run
from services.training.examples import TextExample, read_texts
from services.training.networks import TextClassifier
from services.training.process.events import Phase
from services.training.process.folder import RunFolder
from services.training.process.journal import Journal, read
from services.training.recipe import Preset
from services.training.reporting.report import Report
from services.training.run import run
from services.training.stages import Outputs, Reached
from services.training.tasks import few_shot
from services.training.tasks.texts import Data
from services.training.words import NOTHING, Beside, Words
from tests.services.training.test_resumption import Killed, kill_at
from tests.services.training.tiny import LABELS, create_run, create_texts

FEW = {"epochs": 10, "learning_rate": 3e-2, "batch_size": 6}
# Labels that say more than the few rows do.
TELLING = {label: "_".join(words) for label, words in LABELS.items()}


def create_few(folder: Path, base_model: Path, **changes: float) -> RunFolder:
    train, validation, test = (
        [replace(row, label=TELLING[row.label]) for row in create_texts(count, seed=seed)]
        for seed, count in enumerate((30, 15, 40), 1)
    )
    return create_run(
        folder,
        base_model,
        preset=Preset.few_shot,
        train=train,
        validation=validation,
        test=test,
        labels=sorted(TELLING.values()),
        **{**FEW, **changes},
    )


def notes(folder: RunFolder) -> list[str]:
    return [event.message for event in read(folder.events) if event.message]


def test_it_publishes_quick_first_and_then_what_held_out_rows_prefer(
    tmp_path: Path, base_model: Path
) -> None:
    folder = create_few(tmp_path / "run", base_model)

    report = run(folder)

    assert folder.first_report.exists()
    assert list(report.seconds) == [
        "loading",
        "embedding",
        "fitting",
        "publishing",
        "training",
        "evaluating",
        "saving",
    ]
    assert report.refitted
    assert any("On rows held out, Quick reached" in note for note in notes(folder))
    # Quick has read them in this very run.
    assert not any("read before" in note for note in notes(folder))
    assert "quick" in {baseline.name for baseline in report.baselines}
    steps = [event.step for event in read(folder.events) if "learning_rate" in event.values]
    assert steps == sorted(set(steps))
    answers = engine.load(folder.model).predict([row.text for row in read_texts(folder.split("test"))])
    assert all(isinstance(answer, LabelPrediction) for answer in answers)


def test_single_words_count_where_rows_held_out_prefer_it(tmp_path: Path, base_model: Path) -> None:
    folder = create_few(tmp_path / "run", base_model)

    run(folder)

    assert any("single words counted" in note for note in notes(folder))
    assert load_file(folder.model / "model.safetensors")["words.weight"].any()


def test_single_words_of_quick_are_forgotten_where_rows_held_out_prefer_none(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Useless(Words):
        def fit(self, said: Outputs, learned: Sequence[str]) -> Beside:
            return NOTHING

    def after_words(run: Run, network: TextClassifier, data: Data[TextExample]) -> Reached:
        network.words.load_state_dict({"weight": torch.ones(2, 3), "places": network.words.places + 1})
        return tune(run, network, data)

    tune = few_shot.tune
    monkeypatch.setattr(few_shot, "tune", after_words)
    monkeypatch.setattr(few_shot, "Words", Useless)
    folder = create_few(tmp_path / "run", base_model)

    run(folder)

    assert not load_file(folder.model / "model.safetensors")["words.weight"].any()


def test_what_does_worse_on_rows_held_out_is_not_published(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = create_few(tmp_path / "run", base_model)
    spoil = few_shot.fitting.certainty
    asked: list[int] = []

    def first_is_best(logits: torch.Tensor, targets: torch.Tensor) -> float:
        asked.append(len(targets))
        return spoil(logits, targets) if len(asked) < 1 else spoil(logits, targets) - len(asked)

    monkeypatch.setattr(few_shot.fitting, "certainty", first_is_best)

    report = run(folder)

    assert any("the Quick model is published" in note for note in notes(folder))
    ours, theirs = (load_file(one / "model.safetensors") for one in (folder.model, folder.first_model))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert report.recipe.preset is Preset.few_shot


def test_a_run_that_is_killed_goes_on_where_it_was(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = (create_few(tmp_path / name, base_model) for name in ("whole", "killed"))
    expected = run(whole)
    told = read(whole.events)
    half = next(number for number, event in enumerate(told) if event.phase is Phase.training) + 12

    with monkeypatch.context() as patch:
        kill_at(half, patch)
        with pytest.raises(Killed):
            run(killed)
    report = run(killed)

    assert report.value == expected.value
    assert report.trained_tokens == expected.trained_tokens
    ours, theirs = (load_file(one.model / "model.safetensors") for one in (killed, whole))
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-5) for name in theirs)


def stopped_at(folder: RunFolder, step: int) -> Report:
    """The report of a run that its customer asks to stop at a step."""
    tell = Journal.progress

    def stop_then(self: Journal, at: int, steps: int, **rest: Any) -> None:
        tell(self, at, steps, **rest)
        if "learning_rate" in rest and at == step:
            folder.stop.write_text("customer")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "progress", stop_then)
        return run(folder)


def test_a_customer_who_asks_to_stop_early_gets_what_takes_no_training(
    tmp_path: Path, base_model: Path
) -> None:
    folder = create_few(tmp_path / "run", base_model)

    report = stopped_at(folder, 5)

    assert report.stopped_at_step == 5
    ours, quick = (load_file(one / "model.safetensors") for one in (folder.model, folder.first_model))
    assert all(torch.equal(ours[name], quick[name]) for name in quick if name.startswith("encoder."))


def test_a_customer_who_asks_to_stop_late_gets_what_rows_held_out_were_asked_of(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few_shot, "_best", lambda ways: ways[-1])
    folder = create_few(tmp_path / "run", base_model)

    # Two halves take forty steps each.
    report = stopped_at(folder, 85)

    assert report.stopped_at_step == 85
    weights = load_file(folder.model / "model.safetensors")
    half = load_file(folder.stage("contrast-half-0") / "encoder.safetensors")
    assert all(torch.equal(weights[f"encoder.{name}"], weight) for name, weight in half.items())
    assert any("texts of a label drawn together" in note for note in notes(folder))


def test_texts_of_a_label_near_one_another_cost_less() -> None:
    near = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])

    apart, mixed = (
        few_shot.contrastive_loss(near, torch.tensor(targets)) for targets in ([0, 0, 1, 1], [0, 1, 0, 1])
    )

    assert apart < 0.1 < mixed
    assert few_shot.contrastive_loss(near, torch.tensor([0, 1, 2, 3])) == 0


def test_a_labels_name_is_read_as_a_sentence_would_have_it() -> None:
    assert [few_shot.words_of(label) for label in ("card_arrival", "cardArrival", "card-arrival?")] == [
        "card arrival"
    ] * 3
    assert few_shot.words_of("发票") == "发票"
