"""The whole pipeline on one file, without database or queue: read, split, train, report."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.config import settings
from services.datasets.detection import detect
from services.datasets.dropped import DropCode
from services.datasets.examples import content_hash
from services.datasets.freezing import write_splits
from services.datasets.preview import DEFAULT_SEED
from services.datasets.reading import read
from services.datasets.splits import Splits, split
from services.datasets.usable import require_usable
from services.errors import Conflict, ServiceError
from services.training.bases import catalogue
from services.training.process import launcher
from services.training.process.events import RunEvent
from services.training.process.launcher import Failed, Succeeded
from services.training.recipe import Preset, Recipe, RunSpec, default_base_model
from services.training.reporting.report import Report

LOOK_SECONDS = 0.2


class OutputInTheWay(Conflict):
    """The folder for the result holds something already."""

    code = "output_in_the_way"

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} exists and is not empty. Name another folder with --out, or remove it.")


class RunFailed(ServiceError):
    """The training run ended without a model."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Finetuned:
    """What came of it: the report, and what became of the rows; rows_in = rows_used + sum of dropped."""

    report: Report
    rows_in: int
    rows_used: int
    dropped: dict[DropCode, int]


def finetune(
    file: Path,
    out: Path,
    *,
    test: Path | None = None,
    preset: Preset = Preset.quick,
    familiarising_epochs: int = 0,
    search_seconds: int | None = None,
    base_model: str | None = None,
    seed: int = DEFAULT_SEED,
    tell: Callable[[RunEvent], None] = lambda _: None,
) -> Finetuned:
    """Train on a file and leave `model/` and `report.json` in the folder `out`.

    With `test`, a second file is the test split, and the first is divided into train and validation alone.

    Raises:
        OutputInTheWay: `out` is not empty.
        RunFailed: the run ended without a model; `code` and sentence are the run's own.
        ServiceError: a file cannot be used, as the functions of `datasets` say.
    """
    folder = out / "run"
    if out.exists() and any(entry != folder for entry in out.iterdir()):
        raise OutputInTheWay(out)
    # What a failed run left behind, its log among it, goes when the next one starts.
    shutil.rmtree(folder, ignore_errors=True)
    content = file.read_bytes()
    form = detect(content)
    reading = read(content, form)
    require_usable(reading)
    if test is None:
        splits = split(reading.examples, seed=seed)
    else:
        held_out = read(test.read_bytes(), form)
        learned = split(reading.examples, seed=seed, test_share=0)
        splits = Splits(
            train=learned.train,
            validation=learned.validation,
            test=held_out.examples,
            train_only=learned.train_only,
        )

    base_model = base_model or default_base_model(form.task)
    recipe = Recipe(
        task=form.task,
        base_model=base_model,
        preset=preset,
        hyperparameters=catalogue.defaults_for(base_model, preset, form.task),
        seed=seed,
        familiarising_epochs=familiarising_epochs,
        search_seconds=search_seconds,
    )
    spec = RunSpec(
        recipe=recipe,
        base_model_path=catalogue.resolve(base_model, settings().cache_folder),
        labels=sorted(splits.labels),
        data_hash=content_hash(reading.examples),
    )
    write_splits(folder / "data", splits)
    (folder / "spec.json").write_text(spec.model_dump_json())
    report = _train(folder, tell)
    (folder / "model").rename(out / "model")
    (out / "report.json").write_text(report.model_dump_json(indent=2))
    shutil.rmtree(folder)
    return Finetuned(report, reading.rows_in, len(reading.examples), reading.dropped_by_code)


def _train(folder: Path, tell: Callable[[RunEvent], None]) -> Report:
    with launcher.start(folder) as run:
        while run.poll() is None:
            time.sleep(LOOK_SECONDS)
            for event in run.events():
                tell(event)
        for event in run.events():
            tell(event)
        outcome = run.outcome()
    if isinstance(outcome, Failed):
        raise RunFailed(outcome.code, outcome.message)
    if not isinstance(outcome, Succeeded):
        raise RunFailed("run_crashed", f"The training run crashed; its log is {folder / 'run.log'}.")
    return outcome.report
