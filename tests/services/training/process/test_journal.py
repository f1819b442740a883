from pathlib import Path

import pytest

from services.training.process.events import EventKind, Phase
from services.training.process.folder import COMPLETE, RunFolder
from services.training.process.journal import Journal, read, rewind


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def tell_a_story(folder: RunFolder) -> None:
    journal = Journal(folder.events)
    with journal.phase(Phase.loading):
        journal.note("3 texts are long.")
    with journal.phase(Phase.embedding):
        journal.progress(10, 20)
    with journal.phase(Phase.training):
        for step in (1, 2, 3, 4, 5):
            journal.progress(step, 5, loss=1 / step)
        journal.metric(5, 5, accuracy=0.5)
    with journal.phase(Phase.evaluating):
        journal.progress(40, 40)


def complete(checkpoint: Path, steps: int) -> None:
    checkpoint.mkdir(parents=True)
    (checkpoint / COMPLETE).write_text(str(steps))


def points(folder: RunFolder, phase: Phase) -> list[int]:
    return [
        event.step
        for event in read(folder.events)
        if event.phase is phase and event.kind is not EventKind.phase
    ]


def test_events_are_read_as_they_were_told(folder: RunFolder) -> None:
    tell_a_story(folder)

    events = read(folder.events)

    assert [event.phase for event in events if event.kind is EventKind.phase] == [
        Phase.loading,
        Phase.embedding,
        Phase.training,
        Phase.evaluating,
    ]
    assert events[1].message == "3 texts are long."
    assert [event.values["loss"] for event in events if "loss" in event.values][:2] == [1.0, 0.5]


def test_progress_tells_how_long_the_rest_takes(folder: RunFolder) -> None:
    journal = Journal(folder.events)
    with journal.phase(Phase.embedding):
        journal.progress(1, 4)

    eta = read(folder.events)[-1].eta_seconds

    assert eta is not None
    assert eta >= 0


def test_a_phase_that_is_opened_twice_adds_up(folder: RunFolder) -> None:
    journal = Journal(folder.events)
    with journal.phase(Phase.training):
        pass
    first = journal.seconds[Phase.training]
    with journal.phase(Phase.training):
        pass

    assert list(journal.seconds) == ["training"]
    assert journal.seconds[Phase.training] >= first


def test_a_half_written_line_is_left_out(folder: RunFolder) -> None:
    tell_a_story(folder)
    whole = len(read(folder.events))
    with folder.events.open("a") as file:
        file.write('{"kind": "progress", "pha')

    assert len(read(folder.events)) == whole


def test_without_a_checkpoint_nothing_stands(folder: RunFolder) -> None:
    tell_a_story(folder)

    rewind(folder)

    assert read(folder.events) == []


def test_what_came_after_the_checkpoint_is_forgotten(folder: RunFolder) -> None:
    tell_a_story(folder)
    complete(folder.stage("full") / "checkpoint-3", 3)
    (folder.stage("full") / "checkpoint-5").mkdir()  # cut off in the writing

    rewind(folder)

    assert points(folder, Phase.training) == [1, 2, 3]
    assert points(folder, Phase.embedding) == [10]
    assert points(folder, Phase.evaluating) == []


def test_a_kept_quick_model_keeps_what_led_to_it(folder: RunFolder) -> None:
    tell_a_story(folder)
    complete(folder.quick, 0)

    rewind(folder)

    assert points(folder, Phase.embedding) == [10]
    assert points(folder, Phase.training) == []


def test_rewinding_twice_changes_nothing_more(folder: RunFolder) -> None:
    tell_a_story(folder)
    complete(folder.stage("full") / "checkpoint-3", 3)
    rewind(folder)
    once = folder.events.read_text()

    rewind(folder)

    assert folder.events.read_text() == once


def test_there_is_nothing_to_rewind_before_the_first_start(folder: RunFolder) -> None:
    rewind(folder)

    assert not folder.events.exists()
