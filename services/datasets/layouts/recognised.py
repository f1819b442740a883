"""What is thought of a file's rows, how surely, and why."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from services.datasets.formats import Layout
from services.training.recipe import Task


class Confidence(StrEnum):
    """How surely a format was recognised."""

    certain = "certain"  # the file says so itself
    likely = "likely"  # what stands in it fits, and hardly fits anything else
    unsure = "unsure"  # the best of several guesses


class Wanted(NamedTuple):
    """What the person knows better; None is to be found out."""

    text_column: str | None = None
    label_column: str | None = None
    task: Task | None = None
    layout: Layout | None = None


@dataclass(frozen=True, slots=True)
class Recognised:
    """Fields of a `Format` that say what rows mean; `columns` where the layout has its own names for them."""

    fields: dict[str, Any]
    confidence: Confidence
    reason: str
    columns: tuple[str, ...] | None = None
