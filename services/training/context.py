"""What a task is given to learn with."""

from dataclasses import dataclass

from services.training.machine import Machine
from services.training.process.folder import RunFolder
from services.training.process.journal import Journal
from services.training.recipe import Hyperparameters, Recipe, RunSpec


@dataclass(frozen=True)
class Run:
    """A run at work: its folder, what it is told to do, what it computes on, and where it tells of it."""

    folder: RunFolder
    spec: RunSpec
    machine: Machine
    journal: Journal

    @property
    def recipe(self) -> Recipe:
        """Task, base model, preset and hyperparameters."""
        return self.spec.recipe

    @property
    def settings(self) -> Hyperparameters:
        """The recipe's hyperparameters."""
        return self.spec.recipe.hyperparameters

    @property
    def labels(self) -> list[str]:
        """Sorted; the entity types where the task is token classification."""
        return self.spec.labels
