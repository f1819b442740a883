"""A run that is killed, wherever that may be, and started again ends as one that was not."""

from itertools import count
from pathlib import Path

import pytest

from services.training.process.events import EventKind, Phase, RunEvent
from services.training.process.folder import RunFolder
from services.training.process.journal import Journal, read
from services.training.recipe import Preset, Task
from services.training.reporting.report import Report
from services.training.run import run
from tests.services.training.tiny import create_run

CHANGES = {"epochs": 3, "batch_size": 40, "learning_rate": 5e-3, "patience": 0}


class Killed(BaseException):
    """Nobody catches it."""


def kill_at(number: int, patch: pytest.MonkeyPatch) -> None:
    """Break the run off in the middle of writing the event of this number, counted from its start."""
    write, events = Journal._write, count(1)

    def torn(self: Journal, event: RunEvent) -> None:
        if next(events) == number:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(event.model_dump_json()[:17])
            raise Killed
        write(self, event)

    patch.setattr(Journal, "_write", torn)


def curve(folder: RunFolder, kind: EventKind) -> list[tuple[Phase, int]]:
    return [
        (event.phase, event.step)
        for event in read(folder.events)
        if event.kind is kind and event.phase in (Phase.fitting, Phase.training)
    ]


def scores(folder: RunFolder) -> list[float]:
    return [
        value
        for event in read(folder.events)
        if event.kind is EventKind.metric
        for value in event.values.values()
    ]


# The stride: how many events later each kill comes than the one before.
@pytest.mark.parametrize(
    ("task", "preset", "stride"),
    [
        (Task.text_classification, Preset.best, 4),
        (Task.text_classification, Preset.best, 7),
        (Task.token_classification, Preset.custom, 4),
    ],
)
def test_a_run_killed_again_and_again_has_whole_curves_and_the_same_figures(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch, task: Task, preset: Preset, stride: int
) -> None:
    whole, killed = (
        create_run(tmp_path / name, base_model, task=task, preset=preset, **CHANGES)
        for name in ("whole", "killed")
    )
    expected = run(whole)

    report: Report | None = None
    kills = 0
    for number in count(stride, stride):
        with monkeypatch.context() as patch:
            kill_at(number, patch)
            try:
                report = run(killed)
                break
            except Killed:
                kills += 1

    assert kills > 1
    assert report is not None
    for kind in (EventKind.progress, EventKind.metric):
        assert curve(killed, kind) == curve(whole, kind)
    assert scores(killed) == pytest.approx(scores(whole), abs=0.02)
    assert report.value == pytest.approx(expected.value, abs=0.02)
    assert report.trained_tokens == expected.trained_tokens
    assert (killed.model / "model.safetensors").stat().st_size == (
        whole.model / "model.safetensors"
    ).stat().st_size
