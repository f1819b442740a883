"""What a run leaves to be published: a model's folder and its report; Quick's own while Best goes on."""

from importlib.metadata import version
from pathlib import Path

from services.training import artefact
from services.training.folder import RunFolder
from services.training.journal import Journal
from services.training.machine import Machine
from services.training.recipe import Preset, Recipe, RunSpec, defaults
from services.training.report import Report
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
)


def publish_first(
    trained: Trained, spec: RunSpec, folder: RunFolder, machine: Machine, journal: Journal
) -> None:
    """Leave the Quick model of a run that goes on from it, which the worker publishes meanwhile."""
    quick = spec.model_copy(update={"recipe": _quick(spec.recipe)})
    artefact.save(trained.network, trained.card, spec.base_model_path, folder.first_model)
    trained.evidence.save(folder.first_model)
    tell(trained, quick, folder.first_report, machine, dict(journal.seconds))


def tell(
    trained: Trained, spec: RunSpec, report: Path, machine: Machine, seconds: dict[str, float]
) -> Report:
    """Leave the report of a model, whose folder is whole: who sees the report may use the model."""
    told = _report(trained, spec, machine, seconds)
    arriving = report.with_suffix(".part")
    arriving.write_text(told.model_dump_json(), "utf-8")
    arriving.replace(report)
    return told


def _report(trained: Trained, spec: RunSpec, machine: Machine, seconds: dict[str, float]) -> Report:
    return Report(
        **dict(trained.scores),
        task=spec.recipe.task,
        validation_value=trained.reached.score,
        baselines=trained.baselines,
        rows=trained.rows,
        truncated_rows=trained.truncated_rows,
        seconds=seconds,
        base_model=spec.recipe.base_model,
        recipe=spec.recipe,
        data_hash=spec.data_hash,
        device=machine.name,
        trained_tokens=trained.reached.tokens,
        stopped_at_step=trained.reached.stopped_at,
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
    return recipe.model_copy(update={"preset": Preset.quick, "hyperparameters": settings})
