"""Real child processes, on a tiny base model."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.training.process import launcher
from services.training.process.events import EventKind, Phase
from services.training.process.folder import RunFolder
from services.training.process.journal import read
from services.training.process.launcher import Crashed, Failed, Paused, Succeeded
from services.training.recipe import Preset, Task
from tests.services.training.tiny import create_run, create_sentences, create_texts

# Long enough for a test to do something to it.
LONG = {"epochs": 100, "learning_rate": 1e-6, "batch_size": 1, "patience": 0}


def wait_for(condition: Callable[[], bool], *, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def is_training(folder: RunFolder, *, step: int = 1) -> bool:
    return folder.events.exists() and any(
        event.phase is Phase.training and event.step >= step for event in read(folder.events)
    )


def test_a_run_tells_its_events_once_and_ends_with_its_report(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEPORT_SECRET_KEY", "hush")
    folder = create_run(tmp_path / "run", base_model)
    events = []
    with launcher.start(folder.path) as run:
        # Empty while the child is between fork and exec.
        while not (environment := Path(f"/proc/{run.pid}/environ").read_text()):
            time.sleep(0.01)
        own_session = os.getsid(run.pid) == os.getpgid(run.pid) == run.pid
        while run.poll() is None:
            events += run.events()
            time.sleep(0.02)
        events += run.events()
        outcome = run.outcome()

    assert isinstance(outcome, Succeeded), folder.log.read_text()
    assert outcome.report == folder.read_report()
    assert events == read(folder.events)
    assert own_session
    assert "hush" not in environment
    assert "HF_HUB_OFFLINE=1" in environment


def test_a_failure_is_told_with_whose_it_is(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, labels=["animal"])

    with launcher.start(folder.path) as run:
        outcome = run.outcome()

    assert outcome == Failed(
        code="data_does_not_fit",
        message="There is only one label, so there is nothing to learn. Upload rows of at least two.",
        whose="data",
    )


def test_a_run_that_breaks_has_crashed(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model)
    folder.spec.write_text("{")

    with launcher.start(folder.path) as run:
        outcome = run.outcome()

    assert isinstance(outcome, Crashed)
    assert "Traceback" in folder.log.read_text()


def test_a_killed_run_is_gone_and_goes_on_when_started_again(tmp_path: Path, base_model: Path) -> None:
    changes = {"epochs": 5, "learning_rate": 1e-3, "batch_size": 1, "patience": 0}
    folder = create_run(tmp_path / "run", base_model, preset=Preset.custom, train=create_texts(60), **changes)
    with launcher.start(folder.path) as run:
        wait_for(lambda: folder.last_checkpoint("full") is not None)
        began = time.monotonic()
        run.kill()

        assert time.monotonic() - began < 10
        assert not is_alive(run.pid)
        assert run.outcome() == Crashed(-signal.SIGTERM)

    with launcher.start(folder.path) as again:
        outcome = again.outcome()
        events = again.events()

    assert isinstance(outcome, Succeeded), folder.log.read_text()
    for kind in (EventKind.progress, EventKind.metric):
        steps = [event.step for event in events if event.phase is Phase.training and event.kind is kind]
        assert steps == sorted(set(steps))
        assert steps[-1] == 300
    assert any("Went on after step" in (event.message or "") for event in events)


def test_a_run_that_is_asked_to_pause_goes_on_when_started_again(tmp_path: Path, base_model: Path) -> None:
    changes = {"epochs": 5, "learning_rate": 1e-3, "batch_size": 1, "patience": 0}
    folder = create_run(tmp_path / "run", base_model, preset=Preset.custom, train=create_texts(60), **changes)
    with launcher.start(folder.path) as run:
        wait_for(lambda: is_training(folder))
        run.ask_to_pause()
        paused = run.outcome()
    # A wish is for one attempt.
    folder.stop.touch()

    with launcher.start(folder.path) as again:
        outcome = again.outcome()
        events = again.events()

    assert paused == Paused()
    assert isinstance(outcome, Succeeded), folder.log.read_text()
    assert outcome.report.stopped_at_step is None
    for kind in (EventKind.progress, EventKind.metric):
        steps = [event.step for event in events if event.phase is Phase.training and event.kind is kind]
        assert steps == sorted(set(steps))
        assert steps[-1] == 300


def test_a_run_that_is_asked_to_stop_publishes_what_it_has(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, preset=Preset.custom, **LONG)
    with launcher.start(folder.path) as run:
        wait_for(lambda: is_training(folder))
        run.ask_to_stop()
        run.ask_to_stop()
        outcome = run.outcome()

    assert isinstance(outcome, Succeeded), folder.log.read_text()
    assert 0 < (outcome.report.stopped_at_step or 0) < 12_000
    assert (folder.model / "model.safetensors").exists()


def test_a_run_that_cannot_end_by_itself_is_ended_by_force(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, preset=Preset.custom, **LONG)
    with launcher.start(folder.path) as run:
        os.kill(run.pid, signal.SIGSTOP)
        began = time.monotonic()
        run.kill()

        assert time.monotonic() - began < 10
        assert run.outcome() in (Crashed(-signal.SIGKILL), Crashed(-signal.SIGTERM))
        run.kill()  # once more does no harm


def test_a_run_does_not_outlive_its_worker(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, preset=Preset.custom, **LONG)
    script = f"""
import time
from pathlib import Path
from services.training.process import launcher
print(launcher.start(Path({str(folder.path)!r})).pid, flush=True)
time.sleep(300)
"""
    worker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    with worker.stdout:
        pid = int(worker.stdout.readline())
    wait_for(lambda: is_training(folder))

    worker.kill()
    worker.wait()

    wait_for(lambda: not is_alive(pid), seconds=10)


def test_a_line_in_the_writing_waits(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model)
    with launcher.start(folder.path) as run:
        run.kill()
        folder.events.unlink(missing_ok=True)
        whole = '{"kind": "note", "phase": "loading", "message": "Ä"}\n'
        with folder.events.open("a", encoding="utf-8") as file:
            file.write(whole + whole[:20])
        first = run.events()
        nothing = run.events()
        with folder.events.open("a", encoding="utf-8") as file:
            file.write(whole[20:])
        second = run.events()

    assert [event.message for event in first] == ["Ä"]
    assert nothing == []
    assert [event.message for event in second] == ["Ä"]


@pytest.mark.parametrize("task", [task for task in Task if task.trainable])
def test_what_is_prepared_is_what_a_run_reads(tmp_path: Path, base_model: Path, task: Task) -> None:
    create = create_texts if task is Task.text_classification else create_sentences
    theirs = create_run(
        tmp_path / "theirs", base_model, task=task, train=create(5), validation=create(3), test=create(2)
    )
    spec = theirs.read_spec()

    launcher.prepare(tmp_path / "ours", spec, train=create(5), validation=create(3), test=create(2))

    ours = RunFolder(tmp_path / "ours")
    assert ours.read_spec() == spec
    for split in ("train", "validation", "test"):
        assert ours.split(split).read_bytes() == theirs.split(split).read_bytes()
