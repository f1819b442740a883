"""How good a trained model is on its frozen test split."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.training.recipe import Recipe, Task


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class ClassScore(_Part):
    """One label or entity type; precision, recall and F1 are 0 where they are undefined."""

    label: str
    precision: float
    recall: float
    f1: float
    # Rows, or entities, that truly are of this label.
    support: int


class Confusion(_Part):
    """counts[i][j]: rows of labels[i] that were predicted as labels[j]."""

    labels: list[str]
    counts: list[list[int]]


class Baseline(_Part):
    """What a simple method reaches on the same split, in the report's own metric."""

    name: str
    value: float


class WorstPrediction(_Part):
    """A wrong answer; `score` is the model's confidence in it."""

    row: int
    text: str
    truth: str
    predicted: str
    score: float


class RowCounts(_Part):
    """Rows per split."""

    train: int
    validation: int
    test: int


class Scores(_Part):
    """How a split was answered: scikit-learn's definitions for texts, seqeval's for entities."""

    metric: Literal["accuracy", "f1"]
    # The metric on the test split, 0 to 1; micro-averaged where it is f1.
    value: float
    # 95 % confidence: Wilson's for accuracy, bootstrap over sentences for f1.
    interval: tuple[float, float]
    test_rows: int
    per_class: list[ClassScore]
    macro_f1: float
    weighted_f1: float
    micro_f1: float
    # Per row, or per word where the task is token classification.
    accuracy: float
    confusion: Confusion | None
    # The most confident mistakes first.
    worst: list[WorstPrediction]


class Report(Scores):
    """`report.json` of a run folder."""

    task: Task
    # The same metric on the validation split, which chose the model.
    validation_value: float
    baselines: list[Baseline]
    rows: RowCounts
    # Rows, of all splits, that were longer than max_length and lost their tail.
    truncated_rows: int
    # Phase name to seconds.
    seconds: dict[str, float]
    base_model: str
    recipe: Recipe
    data_hash: str
    device: str
    # Sub-word tokens of the training split, once for every pass over it, without padding.
    trained_tokens: int = 0
    # The optimiser step at which the customer stopped the run; 0 is before fine-tuning, None ran to its end.
    stopped_at_step: int | None = None
