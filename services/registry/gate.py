"""Whether a version may go to production: it must not lose, on the same test rows, to the one there."""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from services.registry import comparing
from services.training.reporting.answered import Answered
from services.training.reporting.report import Difference

# Fewer rows in common tell nothing about either.
FEWEST_ROWS = 30


class Verdict(StrEnum):
    """What came of the comparison."""

    not_worse = "not worse"
    worse = "worse"
    # Of different test rows, or of a version from before answers were kept: nobody can say.
    not_comparable = "not comparable"


class Judgement(BaseModel):
    """A version beside the one in production; kept with the move, so that it can be read later."""

    model_config = ConfigDict(frozen=True)

    version_id: str
    # In production when they were compared.
    against_id: str
    verdict: Verdict
    rows: int
    value: float | None = None
    against_value: float | None = None
    difference: Difference | None = None


def judge(
    version_id: str, answers: Sequence[Answered], *, against_id: str, against: Sequence[Answered]
) -> Judgement:
    """Compare what two versions answered; the labels are those of the first."""
    rows = comparing.shared([answers, against])
    plain = {"version_id": version_id, "against_id": against_id, "rows": len(rows)}
    if len(rows) < FEWEST_ROWS or not any(row.predicted[0] or row.truth for row in rows):
        return Judgement(**plain, verdict=Verdict.not_comparable)
    apart = comparing.difference(rows, 0, 1)
    return Judgement(
        **plain,
        verdict=Verdict.worse if apart.value < 0 else Verdict.not_worse,
        value=comparing.score(rows, 0),
        against_value=comparing.score(rows, 1),
        difference=apart,
    )
