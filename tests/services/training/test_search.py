"""A search for settings: within its budget, never twice the same trial, the best one published."""

import json
from itertools import count
from pathlib import Path

import pytest

from services.training import search
from services.training.process.events import EventKind, Phase, RunEvent
from services.training.process.folder import RunFolder
from services.training.process.journal import read
from services.training.recipe import Preset, Recipe, SearchNotPossible, Task
from services.training.run import run
from tests.services.training.test_resumption import Killed, kill_at
from tests.services.training.tiny import create_run

BRIEF = {"epochs": 2, "batch_size": 40, "learning_rate": 5e-3, "patience": 0}


@pytest.fixture(autouse=True)
def _few_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_TRIALS", 4)


def create_search(
    folder: Path, base_model: Path, *, seconds: int = 600, task: Task = Task.text_classification
) -> RunFolder:
    made = create_run(folder, base_model, task=task, preset=Preset.custom, **BRIEF)
    spec = made.read_spec()
    recipe = spec.recipe.model_copy(update={"search_seconds": seconds})
    made.spec.write_text(spec.model_copy(update={"recipe": recipe}).model_dump_json())
    return made


def trials(folder: RunFolder) -> list[RunEvent]:
    return [event for event in read(folder.events) if event.kind is EventKind.trial]


def curve(folder: RunFolder) -> list[int]:
    return [
        event.step
        for event in read(folder.events)
        if event.kind is EventKind.metric and event.phase is Phase.training
    ]


def test_the_best_of_what_was_tried_is_published(tmp_path: Path, base_model: Path) -> None:
    folder = create_search(tmp_path / "run", base_model)

    report = run(folder)

    tried = trials(folder)
    assert [event.values["trial"] for event in tried] == [1, 2, 3, 4]
    assert tried[0].values["learning_rate"] == BRIEF["learning_rate"]
    whole = [event for event in tried if event.message == "whole"]
    best = max(whole, key=lambda event: event.values["accuracy"])
    assert report.validation_value == best.values["accuracy"]
    assert report.recipe.hyperparameters.learning_rate == best.values["learning_rate"]
    assert report.recipe.search_seconds == 600
    assert curve(folder) == sorted(set(curve(folder)))
    assert folder.first_report.exists()


def test_a_trial_in_the_worse_half_is_ended(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_RATES", 1e3)
    monkeypatch.setattr(search, "MOST_TRIALS", 8)
    # Of scores every trial is worse than another one, be it by little.
    folder = create_search(tmp_path / "run", base_model, task=Task.regression)

    run(folder)

    early = [event for event in trials(folder) if event.message == "ended early"]
    assert early
    assert any(event.values["evaluations"] < BRIEF["epochs"] for event in early)


def test_the_budget_ends_the_search_and_its_trial(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each look at the clock takes a second.
    ticks = count()
    monkeypatch.setattr(search, "monotonic", lambda: float(next(ticks)))
    folder = create_search(tmp_path / "run", base_model, seconds=30)

    report = run(folder)

    spent = json.loads((folder.checkpoints / "search/trials.json").read_text())["seconds"]
    assert len(trials(folder)) < 4
    assert 20 < spent < 60
    assert report.value > 0


def test_a_search_that_is_killed_again_and_again_repeats_no_trial(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = create_search(tmp_path / "run", base_model)
    seen: list[dict[str, float]] = []

    report, kills = None, 0
    for number in count(25, 9):
        with monkeypatch.context() as patch:
            kill_at(number, patch)
            try:
                report = run(folder)
                break
            except Killed:
                kills += 1
                kept = json.loads((folder.checkpoints / "search/trials.json").read_text())["tried"]
                over = [one["settings"] for one in kept if one["how"] != "running"]
                assert over[: len(seen)] == seen
                seen = over

    assert kills > 1
    assert report is not None
    tried = trials(folder)
    assert [event.values["trial"] for event in tried] == [1, 2, 3, 4]
    assert curve(folder) == sorted(set(curve(folder)))
    assert len(list(folder.stage("search-0").iterdir())) == 1


def test_a_search_is_of_custom_and_of_tasks_with_short_trials() -> None:
    for preset, task in ((Preset.best, Task.text_classification), (Preset.custom, Task.chat)):
        with pytest.raises(SearchNotPossible, match="the preset “custom”"):
            Recipe(task=task, preset=preset, search_seconds=300)
