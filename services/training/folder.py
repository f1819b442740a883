"""The names inside a run folder."""

import json
from pathlib import Path

from services.training.recipe import RunSpec
from services.training.report import Report

# Written into a checkpoint once everything else in it is on disk.
COMPLETE = "complete"


class RunFolder:
    """A run's folder: everything it needs comes from here, everything it makes goes here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = path / "spec.json"
        self.data = path / "data"
        self.events = path / "events.jsonl"
        self.checkpoints = path / "checkpoints"
        # The head that Quick fitted, kept for a resumed Best.
        self.quick = self.checkpoints / "quick"
        self.model = path / "model"
        self.report = path / "report.json"
        self.failure = path / "failure.json"
        self.log = path / "run.log"

    def split(self, name: str) -> Path:
        """The file of the train, validation or test split."""
        return self.data / f"{name}.jsonl"

    def read_spec(self) -> RunSpec:
        """What the run is told to do."""
        return RunSpec.model_validate_json(self.spec.read_text("utf-8"))

    def read_report(self) -> Report:
        """What the run found out about its model."""
        return Report.model_validate_json(self.report.read_text("utf-8"))

    def last_checkpoint(self) -> Path | None:
        """The newest checkpoint that was written to its end."""
        complete = [marker.parent for marker in self.checkpoints.glob(f"checkpoint-*/{COMPLETE}")]
        return max(complete, key=step_of, default=None)

    def has_quick(self) -> bool:
        """Whether an earlier start of this run already fitted its head."""
        return (self.quick / COMPLETE).exists()

    def fail(self, code: str, message: str, whose: str) -> None:
        """Leave the reason of a failure."""
        reason = {"code": code, "message": message, "whose": whose}
        self.failure.write_text(json.dumps(reason, ensure_ascii=False), "utf-8")


def step_of(checkpoint: Path) -> int:
    """The optimiser step a checkpoint was written at."""
    return int(checkpoint.name.removeprefix("checkpoint-"))
