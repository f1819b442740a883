"""A base model that reads the training texts before it learns the task."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from services.training import familiarising
from services.training.examples import SPLITS, read_texts
from services.training.failures import LossRunsAway
from services.training.familiarising import _texts, masked
from services.training.process.events import EventKind, Phase
from services.training.process.folder import RunFolder
from services.training.process.journal import read
from services.training.recipe import RunSpec, Task
from services.training.run import run
from tests.services.training.tiny import create_run

LAYER = "encoder.layer.1.output.dense.weight"


def familiar(folder: RunFolder, epochs: int) -> RunFolder:
    spec = folder.read_spec()
    recipe = spec.recipe.model_copy(update={"familiarising_epochs": epochs})
    folder.spec.write_text(RunSpec(**{**dict(spec), "recipe": recipe}).model_dump_json(), "utf-8")
    return folder


@pytest.mark.parametrize("task", [Task.text_classification, Task.pair_classification])
def test_the_task_goes_on_from_what_was_read(tmp_path: Path, base_model: Path, task: Task) -> None:
    folder = familiar(create_run(tmp_path / "run", base_model, task=task), 2)

    report = run(folder)

    phases = [event.phase for event in read(folder.events) if event.kind is EventKind.phase]
    assert phases[:2] == [Phase.familiarising, Phase.loading]
    weights = load_file(folder.model / "model.safetensors")
    base = load_file(base_model / "model.safetensors")
    assert not torch.equal(weights[f"encoder.{LAYER}"], base[LAYER])
    plain = run(create_run(tmp_path / "plain", base_model, task=task))
    assert report.trained_tokens > plain.trained_tokens


def test_a_resumed_run_does_not_read_again(tmp_path: Path, base_model: Path) -> None:
    folder = familiar(create_run(tmp_path / "run", base_model), 1)
    first = run(folder)

    again = run(folder)

    assert Phase.familiarising not in again.seconds
    assert again.trained_tokens == first.trained_tokens


def test_texts_of_another_data_set_are_read_but_for_those_held_out(tmp_path: Path, base_model: Path) -> None:
    folder = familiar(create_run(tmp_path / "run", base_model), 1)
    held_out = read_texts(folder.split("test"))[0].text
    folder.familiar.mkdir()
    for split, text in zip(SPLITS, ("the red cat here", "my old saw", held_out), strict=True):
        (folder.familiar / f"{split}.jsonl").write_text(json.dumps({"row": 1, "text": text}) + "\n", "utf-8")

    assert _texts(folder) == ["the red cat here", "my old saw"]
    run(folder)

    told = [event.message for event in read(folder.events) if event.kind is EventKind.note]
    assert told[0] == "The base model gets used to 2 texts of another data set."


def test_a_pass_that_runs_away_is_told_as_in_training(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether a loss runs away is judged by the losses of all steps so far, as in training.
    monkeypatch.setattr(familiarising.divergence, "diverges", lambda losses: len(losses) == 2)
    folder = familiar(create_run(tmp_path / "run", base_model), 8)

    with pytest.raises(LossRunsAway) as away:
        run(folder)

    assert away.value.step == 1


def test_fifteen_of_a_hundred_are_guessed_and_of_these_eight_of_ten_are_masked() -> None:
    ids = torch.full((100, 200), 7)
    maskable = torch.ones_like(ids, dtype=torch.bool)
    maskable[:, 0] = False

    seen, guessed = masked(ids, maskable, 3, 1_000, torch.Generator().manual_seed(1))

    assert not guessed[:, 0].any()
    assert float(guessed[:, 1:].float().mean()) == pytest.approx(0.15, abs=0.01)
    assert float((seen[guessed] == 3).float().mean()) == pytest.approx(0.8, abs=0.02)
    assert float((seen[guessed] == 7).float().mean()) == pytest.approx(0.1, abs=0.02)
    assert bool((seen[~guessed] == 7).all())
