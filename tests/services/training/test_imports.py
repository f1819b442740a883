"""Portal, jobs and api read these files; none may pull torch in."""

import subprocess
import sys

LIGHT = [
    "services.training.recipe",
    "services.training.report",
    "services.training.events",
    "services.training.catalogue",
    "services.training.quote",
    "services.training.launcher",
    "services.inference.predictions",
    "services.inference.batching",
    "services.inference.cache",
]
HEAVY = ("torch", "transformers", "sklearn", "numpy")


def modules_after(statement: str) -> str:
    show = f"{statement}; import sys; print(' '.join(set(sys.modules) & set({HEAVY!r})))"
    return subprocess.run(
        [sys.executable, "-c", show], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_what_others_import_loads_neither_torch_nor_transformers() -> None:
    assert modules_after(f"import {', '.join(LIGHT)}") == ""


def test_the_check_would_notice() -> None:
    assert modules_after("import services.training.intervals") == "numpy"
