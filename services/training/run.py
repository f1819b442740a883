"""One training run: `python -m services.training.run FOLDER`; a folder in, a folder out.

Exit status 0 with `report.json`, 1 with `failure.json`, 75 after a pause that was asked for, anything else is
a crash. Started again in the same folder it goes on from the last complete checkpoint.
"""

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from services.training.process import fences

if __name__ == "__main__":
    # Before the slow imports, so that no run outlives its worker.
    fences.put_up()

from services.training import networks, publishing, smaller
from services.training.context import Run
from services.training.failures import BaseModelUnreadable, OutOfMemory, RunFailed, TextsTooLong
from services.training.familiarising import familiarise
from services.training.machine import here, hold, seed_everything
from services.training.process.events import Phase
from services.training.process.folder import RunFolder
from services.training.process.gauge import Gauge
from services.training.process.journal import Journal, rewind
from services.training.process.wishes import PAUSED, PauseAsked, StopReason, stopped_by
from services.training.recipe import RunSpec, Task
from services.training.reporting.report import Report
from services.training.trained import Trained

_WHY_STOPPED: dict[StopReason, str] = {
    "customer": "as you asked",
    "quote": "because the time that was quoted is over and no more of it is billed",
}
_log = logging.getLogger(__name__)


def run(folder: RunFolder) -> Report:
    """Train what the folder asks for, and leave the model and its report there.

    Raises:
        RunFailed: for a reason that the customer is told.
        PauseAsked: the worker asked for a pause.
    """
    spec = folder.read_spec()
    rewind(folder)
    _check_base_model(spec)
    seed_everything(spec.recipe.seed)
    machine = here()
    journal = Journal(folder.events, Gauge(machine))
    if limits := fences.limits():
        hold(machine, limits)
    if kept := folder.steps_kept():
        journal.note(f"Went on after step {kept}.")
    if folder.smaller.exists():
        journal.note("The memory did not suffice before: now half as much is computed at once.")

    spec, read = familiarise(folder, spec, machine, journal)
    at_work = Run(folder, spec, machine, journal)
    trained = _task(spec.recipe.task)(at_work)
    if trained.reached.stopped_at is not None:
        why = _WHY_STOPPED[stopped_by(folder)]
        journal.note(f"Stopped at step {trained.reached.stopped_at}, {why}; the best so far is kept.")

    with journal.phase(Phase.saving):
        publishing.save(at_work, trained, folder.model)
    reached = replace(trained.reached, tokens=trained.reached.tokens + read)
    trained = replace(trained, reached=reached)
    recipe = spec.recipe
    if found := trained.reached.settings:
        recipe = recipe.model_copy(update={"hyperparameters": found})
    return publishing.tell(at_work, trained, folder.report, recipe)


def _task(task: Task) -> Callable[[Run], Trained]:
    # Imported here: no run should have to wait for the libraries of another task.
    match task:
        case Task.chat:
            from services.training.tasks import chat

            return chat.train
        case Task.multi_label:
            from services.training.tasks import multilabel

            return multilabel.train
        case Task.token_classification:
            from services.training.tasks import tokens

            return tokens.train
        case Task.pair_classification:
            from services.training.tasks import pairs

            return pairs.train
        case Task.regression:
            from services.training.tasks import regression

            return regression.train
        case _:
            from services.training.tasks import classification

            return classification.train


def _check_base_model(spec: RunSpec) -> None:
    try:
        config = networks.read_config(spec.base_model_path)
    except (OSError, ValueError) as error:
        raise BaseModelUnreadable from error
    asked = spec.recipe.hyperparameters.max_length
    possible = getattr(config, "max_position_embeddings", asked)
    if asked > possible:
        raise TextsTooLong(asked, possible)


def main(path: Path) -> int:
    """Run in a folder and return the exit status."""
    folder = RunFolder(path)
    for leftover in (folder.report, folder.failure):
        leftover.unlink(missing_ok=True)
    try:
        run(folder)
    except PauseAsked:
        return PAUSED
    except (RunFailed, RuntimeError, MemoryError) as error:
        failure = error if isinstance(error, RunFailed) else _out_of_memory(error, folder)
        if failure is None:
            raise
        _log.exception("The run failed: %s", failure.code)
        folder.fail(failure.code, failure.message, failure.whose)
        return 1
    return 0


def _out_of_memory(error: Exception, folder: RunFolder) -> OutOfMemory | None:
    """The failure, if torch could not allocate, on a GPU or on the host."""
    if not smaller.is_exhausted(error):
        return None
    settings = folder.read_spec().recipe.hyperparameters
    return OutOfMemory(settings.batch_size, settings.max_length)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    sys.exit(main(Path(sys.argv[1])))
