"""The names inside a run folder."""

import json
from pathlib import Path

from services.training.recipe import RunSpec
from services.training.reporting.report import Report

# Written into a checkpoint once everything else in it is on disk; holds the steps of all stages so far.
COMPLETE = "complete"


class RunFolder:
    """A run's folder: everything it needs comes from here, everything it makes goes here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = path / "spec.json"
        self.data = path / "data"
        # Texts of another data set, for the base model to get used to; there where the recipe names one.
        self.familiar = path / "familiar"
        self.events = path / "events.jsonl"
        self.checkpoints = path / "checkpoints"
        # The Quick model, kept where training goes on from it.
        self.quick = self.checkpoints / "quick-model"
        # There where the memory did not suffice, and half as much is to be computed at once.
        self.smaller = self.checkpoints / "smaller.json"
        # What a run that goes on from Quick publishes meanwhile.
        self.first_model = path / "first/model"
        self.first_report = path / "first/report.json"
        # What a frozen base model has made of rows, in this run and in earlier ones on the same data set.
        self.remembered = path / "remembered.safetensors"
        self.model = path / "model"
        self.report = path / "report.json"
        self.failure = path / "failure.json"
        self.log = path / "run.log"
        # Wishes of the worker: publish the best so far; leave off, to go on later.
        self.stop = path / "stop"
        self.pause = path / "pause"

    def split(self, name: str) -> Path:
        """The file of the train, validation or test split."""
        return self.data / f"{name}.jsonl"

    def read_spec(self) -> RunSpec:
        """What the run is told to do."""
        return RunSpec.model_validate_json(self.spec.read_text("utf-8"))

    def read_report(self) -> Report:
        """What the run found out about its model."""
        return Report.model_validate_json(self.report.read_text("utf-8"))

    def stage(self, stage: str) -> Path:
        """Where a stage of training keeps its checkpoints."""
        return self.checkpoints / stage

    def last_checkpoint(self, stage: str) -> Path | None:
        """The newest checkpoint of a stage that was written to its end."""
        complete = [marker.parent for marker in self.stage(stage).glob(f"checkpoint-*/{COMPLETE}")]
        return max(complete, key=step_of, default=None)

    def steps_kept(self) -> int | None:
        """Optimiser steps that a restart need not repeat; None where it begins from nothing."""
        markers = self.checkpoints.glob(f"**/{COMPLETE}")
        return max((int(marker.read_text()) for marker in markers), default=None)

    def has_quick(self) -> bool:
        """Whether an earlier start of this run already made its Quick model."""
        return (self.quick / COMPLETE).exists()

    def ask_for_smaller(self) -> bool:
        """Have the run compute half as much at once from now on; False where it does so already."""
        if self.smaller.exists():
            return False
        self.smaller.parent.mkdir(parents=True, exist_ok=True)
        self.smaller.write_text("true")
        return True

    def fail(self, code: str, message: str, whose: str) -> None:
        """Leave the reason of a failure."""
        reason = {"code": code, "message": message, "whose": whose}
        self.failure.write_text(json.dumps(reason, ensure_ascii=False), "utf-8")


def step_of(checkpoint: Path) -> int:
    """The optimiser step a checkpoint was written at."""
    return int(checkpoint.name.removeprefix("checkpoint-"))
