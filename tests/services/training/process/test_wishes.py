"""What a run makes of the wishes of its worker, in this process and on a tiny base model."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from services.training import fitting
from services.training.examples import read_texts
from services.training.process.events import EventKind, Phase
from services.training.process.folder import RunFolder
from services.training.process.journal import read
from services.training.process.wishes import PAUSED
from services.training.recipe import Preset, Task
from services.training.run import main, run
from services.training.tokenizing import encode_texts, load_tokenizer
from tests.services.training.tiny import create_run

SHORT = {"epochs": 2, "batch_size": 8, "patience": 0}


def notes(folder: RunFolder) -> list[str]:
    return [event.message or "" for event in read(folder.events) if event.kind is EventKind.note]


def trained_steps(folder: RunFolder) -> list[int]:
    return [
        event.step
        for event in read(folder.events)
        if event.kind is EventKind.progress and event.phase is Phase.training
    ]


def test_a_stop_before_fine_tuning_publishes_quick(tmp_path: Path, base_model: Path) -> None:
    quick = create_run(tmp_path / "quick", base_model)
    folder = create_run(tmp_path / "run", base_model, preset=Preset.best, **SHORT)
    folder.stop.touch()

    usual, stopped = run(quick), run(folder)

    assert (usual.stopped_at_step, stopped.stopped_at_step) == (None, 0)
    assert stopped.value == usual.value
    assert trained_steps(folder) == []
    assert notes(folder)[-1] == "Stopped at step 0, as you asked; the best so far is kept."
    ours, theirs = (load_file(one.model / "model.safetensors") for one in (folder, quick))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_entities_stop_with_quick_too(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(
        tmp_path / "run", base_model, task=Task.token_classification, preset=Preset.custom, **SHORT
    )
    folder.stop.touch()

    report = run(folder)

    assert report.stopped_at_step == 0
    assert trained_steps(folder) == []
    assert (folder.model / "model.safetensors").exists()


def test_a_pause_while_texts_are_read_just_ends_the_run(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model)
    folder.pause.touch()

    left = main(folder.path)
    folder.pause.unlink()
    went_on = main(folder.path)

    assert (left, went_on) == (PAUSED, 0)
    assert folder.read_report().stopped_at_step is None


def test_a_pause_after_quick_keeps_it(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = create_run(tmp_path / "run", base_model, preset=Preset.best, **SHORT)
    fit = fitting.choose

    def fit_and_ask(*arguments: Any, **options: Any) -> Any:
        folder.pause.touch()
        return fit(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr("services.training.fitting.choose", fit_and_ask)
        left = main(folder.path)
    folder.pause.unlink()
    kept = folder.has_quick()
    went_on = main(folder.path)

    assert (left, kept, went_on) == (PAUSED, True, 0)
    assert [event.phase for event in read(folder.events) if event.kind is EventKind.phase].count(
        Phase.embedding
    ) == 1


def test_tokens_are_counted_once_for_every_pass(tmp_path: Path, base_model: Path) -> None:
    quick = create_run(tmp_path / "quick", base_model)
    best = create_run(tmp_path / "best", base_model, preset=Preset.best, **SHORT)
    texts = [row.text for row in read_texts(quick.split("train"))]
    ids, _ = encode_texts(load_tokenizer(base_model, cut_to=32), texts)
    once = sum(map(len, ids))

    assert run(quick).trained_tokens == once
    assert run(best).trained_tokens == 3 * once
