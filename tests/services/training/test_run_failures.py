"""`main` turns the end of a run into an exit status and, where the customer should know, a failure."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from services.training.process.fences import Limits, environment
from services.training.process.folder import RunFolder
from services.training.recipe import Preset
from services.training.run import _out_of_memory, main
from tests.services.training.tiny import create_run


def reason(folder: RunFolder) -> dict[str, str]:
    found: dict[str, str] = json.loads(folder.failure.read_text("utf-8"))
    return found


def test_a_run_that_worked_leaves_a_report_and_no_failure(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model)
    folder.fail("old", "From an earlier start.", "ours")

    assert main(folder.path) == 0
    assert folder.read_report().test_rows == 40
    assert not folder.failure.exists()


def test_a_base_model_that_is_gone_is_our_fault(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", tmp_path / "nowhere")

    assert main(folder.path) == 1
    assert (reason(folder)["code"], reason(folder)["whose"]) == ("base_model_missing", "ours")


def test_data_that_does_not_fit_is_told_in_a_sentence(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, test=[])

    assert main(folder.path) == 1
    assert reason(folder) == {
        "code": "data_does_not_fit",
        "message": "The test split has no rows. Upload more rows, or split them otherwise.",
        "whose": "data",
    }


def test_more_tokens_than_the_base_model_reads_are_refused(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, max_length=512)

    assert main(folder.path) == 1
    assert reason(folder)["code"] == "max_length_too_long"
    assert "64" in reason(folder)["message"]


def test_a_report_of_an_earlier_start_does_not_survive_a_failure(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model)
    assert main(folder.path) == 0
    folder.split("train").write_text("")

    assert main(folder.path) == 1
    assert not folder.report.exists()


def test_a_bug_is_not_dressed_up_as_a_failure(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model)
    (folder.split("train")).write_text('{"row": 1}\n')

    with pytest.raises(TypeError):
        main(folder.path)
    assert not folder.failure.exists()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        RuntimeError("[enforce fail] can't allocate memory"),
    ],
)
def test_all_ways_to_run_out_of_memory_are_known(tmp_path: Path, base_model: Path, error: Exception) -> None:
    folder = create_run(tmp_path / "run", base_model, preset=Preset.custom, batch_size=512)

    failure = _out_of_memory(error, folder)

    assert failure is not None
    assert "512 rows" in failure.message
    assert failure.whose == "data"
    assert _out_of_memory(RuntimeError("shapes differ"), folder) is None


def test_a_run_that_gets_no_memory_says_so(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, preset=Preset.custom, batch_size=512)
    # A tensor that the machine itself would give, because nobody has written into it yet.
    script = f"""
from pathlib import Path
import torch
from services.training import run
def greedy(*_):
    torch.empty({8 << 30}, dtype=torch.uint8)
run._task = lambda task: greedy
raise SystemExit(run.main(Path({str(folder.path)!r})))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(folder.path, Limits(memory=4 << 30, disk=1 << 30, processes=20)),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1, done.stderr
    assert reason(folder)["code"] == "out_of_memory"
