"""Portal, jobs and api read these files; none may pull torch in."""

import subprocess
import sys

import pytest

LIGHT = [
    "services.training.recipe",
    "services.training.reporting.report",
    "services.training.process.events",
    "services.training.bases.catalogue",
    "services.training.quoting.quote",
    "services.training.process.launcher",
    "services.inference.predictions",
    "services.inference.batching",
    "services.inference.cache",
]
# Of training and adapters, which a run that fits a head alone does without.
UNNEEDED = ("transformers.trainer", "peft", "optuna", "onnxruntime", "cleanlab")
HEAVY = ("torch", "transformers", "sklearn", "numpy")


def modules_after(statement: str, watched: tuple[str, ...] = HEAVY) -> str:
    show = f"{statement}; import sys; print(' '.join(set(sys.modules) & set({watched!r})))"
    return subprocess.run(
        [sys.executable, "-c", show], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_what_others_import_loads_neither_torch_nor_transformers() -> None:
    assert modules_after(f"import {', '.join(LIGHT)}") == ""


def test_the_check_would_notice() -> None:
    assert modules_after("import services.training.reporting.intervals") == "numpy"


@pytest.mark.parametrize("task", ["classification", "tokens"])
def test_a_run_that_fits_a_head_does_not_wait_for_what_it_may_never_need(task: str) -> None:
    assert modules_after(f"import services.training.run, services.training.tasks.{task}", UNNEEDED) == ""
