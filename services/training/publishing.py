"""What a run leaves to be published: a model's folder and its report; Quick's own while Best goes on."""

from importlib.metadata import version
from pathlib import Path

from services.training import artefact
from services.training.context import Run
from services.training.recipe import Preset, Recipe, defaults
from services.training.reporting.report import Report
from services.training.trained import Trained

# Packages whose version may change what a run comes to.
_DECISIVE = (
    "tuneport",
    "torch",
    "transformers",
    "peft",
    "tokenizers",
    "safetensors",
    "scikit-learn",
    "numpy",
    "optuna",
)


def publish_first(run: Run, trained: Trained) -> None:
    """Leave the Quick model of a run that goes on from it, which the worker publishes meanwhile."""
    save(run, trained, run.folder.first_model)
    tell(run, trained, run.folder.first_report, _quick(run.recipe))


def save(run: Run, trained: Trained, folder: Path) -> None:
    """Leave a model and what its report stands on."""
    artefact.save(trained.network, trained.card, run.spec.base_model_path, folder)
    trained.evidence.save(folder)


def tell(run: Run, trained: Trained, report: Path, recipe: Recipe) -> Report:
    """Leave the report of a model, whose folder is whole: who sees the report may use the model."""
    told = _report(run, trained, recipe)
    arriving = report.with_suffix(".part")
    arriving.write_text(told.model_dump_json(), "utf-8")
    arriving.replace(report)
    return told


def _report(run: Run, trained: Trained, recipe: Recipe) -> Report:
    return Report(
        **dict(trained.scores),
        task=recipe.task,
        validation_value=trained.reached.score,
        baselines=trained.baselines,
        rows=trained.rows,
        truncated_rows=trained.truncated_rows,
        seconds=dict(run.journal.seconds),
        base_model=recipe.base_model,
        recipe=recipe,
        data_hash=run.spec.data_hash,
        device=run.machine.name,
        trained_tokens=trained.reached.tokens,
        stopped_at_step=trained.reached.stopped_at,
        diverged_at_step=trained.reached.diverged_at,
        refitted=trained.reached.refitted,
        calibration=trained.evidence.calibration,
        suspects=trained.evidence.suspect_count,
        learning_curve=trained.evidence.learning_curve,
        packages={name: version(name) for name in _DECISIVE},
    )


def _quick(recipe: Recipe) -> Recipe:
    """The recipe that would have made the Quick model alone."""
    settings = defaults(Preset.quick, recipe.task).model_copy(
        update={"max_length": recipe.hyperparameters.max_length}
    )
    return recipe.model_copy(
        update={"preset": Preset.quick, "hyperparameters": settings, "search_seconds": None}
    )
