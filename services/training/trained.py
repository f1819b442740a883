"""What a task hands back when it has learnt."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services.training.artefact import Card
from services.training.networks import Network
from services.training.reporting.evidence import Evidence
from services.training.reporting.report import Baseline, RowCounts, Scores
from services.training.stages import Reached

if TYPE_CHECKING:
    from services.training.adapting import Adapted


@dataclass(frozen=True)
class Trained:
    """A network at its best, what an artefact says of it, and how it did."""

    network: "Network | Adapted"
    card: Card
    # Of the test split.
    scores: Scores
    baselines: list[Baseline]
    rows: RowCounts
    truncated_rows: int
    # What training came to.
    reached: Reached
    evidence: Evidence = field(default_factory=Evidence)
