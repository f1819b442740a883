"""How good a trained model is on its frozen test split."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.training.recipe import Recipe, Task
from services.training.reporting.entity_errors import ErrorKind

# Accuracy and F1 run from 0 to 1; r2, the share of the scores' variance that is explained, may be below 0.
# A token's likelihood is the geometric mean of those of a chat model's true answers: 1 / perplexity.
Metric = Literal["accuracy", "f1", "r2", "token_likelihood"]


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


class Errors(_Part):
    """How far predicted scores lie from the true ones; r2, pearson and spearman are 0 where undefined."""

    # In the scores' own unit.
    mae: float
    rmse: float
    # Coefficients: of determination, of correlation, and of the correlation of ranks.
    r2: float
    pearson: float
    spearman: float


class Ranking(_Part):
    """How well the second texts that belong to one first text are put in order, best first.

    Averages over the first texts with something relevant among at least two candidates; those of equal score
    stand in the order that is worst for us.
    """

    # The label that counts as relevant, or what grades the candidates.
    relevant: str
    # First texts that were ranked, and how many second texts each had on average.
    queries: int
    candidates: float
    ndcg_at_10: float
    mrr: float
    # Share of the relevant that stand among the first so many: {"1": …, "3": …, "10": …}.
    recall_at: dict[str, float]
    # NDCG@10 of simple orders of the same candidates.
    baselines: list["Baseline"] = []


class Difference(_Part):
    """How much better one way of answering is than another on the same rows, and how surely."""

    # Of the metric.
    value: float
    # 95 % confidence.
    interval: tuple[float, float]
    # Two-sided: how often chance alone would make so large a difference.
    p_value: float
    rows: int
    # Rows that only the one, and only the other, answers without a mistake.
    only_first: int
    only_second: int


class Baseline(_Part):
    """What a simple method reaches on the same split, in the report's own metric."""

    name: str
    value: float
    # The model against it.
    against: Difference | None = None


class Bin(_Part):
    """Answers with a confidence above `low` and up to `high`: how sure the model was, and how often right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


class Calibration(_Part):
    """What confidence is worth on the test split, before and after the temperature."""

    # Fitted on the validation split; logits are divided by it wherever the version answers.
    temperature: float
    # Expected calibration error over fifteen bins.
    error_before: float
    error: float
    before: list[Bin]
    after: list[Bin]
    # The error of each label by itself, where a row may have several.
    by_label: dict[str, float] = {}


class CurvePoint(_Part):
    """What a Quick model of so many training rows reaches on the test split."""

    rows: int
    value: float


class Forecast(_Part):
    """What so many rows more would likely add to the metric, with its 95 % range."""

    more: int
    gain: float
    interval: tuple[float, float]


class LearningCurve(_Part):
    """How the metric grew with the rows, each point holding the rows of the one before."""

    points: list[CurvePoint]
    forecasts: list[Forecast]


class SuspectCount(_Part):
    """How many rows were looked at for wrong labels, in which splits, and how many are in doubt."""

    checked: int
    doubted: int
    splits: list[str]


class WorstPrediction(_Part):
    """A wrong answer; `score` is the model's confidence in it, or how far off it is where it is a number."""

    row: int
    text: str
    truth: str
    predicted: str
    score: float


class ChatAnswer(_Part):
    """One answer to the last question of a test conversation, beside the true one and the base model's."""

    row: int
    # What was said last before the answer, and how many messages in all stood before it.
    question: str
    turns: int
    truth: str
    answer: str
    base_answer: str
    rouge_l: float
    base_rouge_l: float


class ChatScores(_Part):
    """How a chat model answers, and how its base does; the likelihoods are per token of the true answers.

    A likelihood is the geometric mean of the probabilities that the tokens were given: 1 / perplexity.
    """

    likelihood: float
    likelihood_interval: tuple[float, float]
    base_likelihood: float
    base_interval: tuple[float, float]
    # Of the true answers, and answers that were written out greedily.
    tokens: int
    answers: int
    # Shares of these answers, and means over them.
    exact_match: float
    base_exact_match: float
    rouge_l: float
    base_rouge_l: float
    # The least like the truth first.
    samples: list[ChatAnswer]
    # Conversations, of all splits, whose answers all lie behind the most tokens of a row.
    left_out: int

    @property
    def perplexity(self) -> float:
        """Of how many tokens the model hesitates between, on average."""
        return 1 / self.likelihood

    @property
    def base_perplexity(self) -> float:
        """The same of the base model."""
        return 1 / self.base_likelihood


class RowCounts(_Part):
    """Rows per split."""

    train: int
    validation: int
    test: int


class Scores(_Part):
    """How a split was answered: scikit-learn's definitions for texts, seqeval's for entities.

    What does not apply to a task is None, or empty.
    """

    metric: Metric
    # The metric on the test split, the higher the better and 1 the best; micro-averaged where it is f1.
    value: float
    # 95 % confidence: Wilson's for accuracy, bootstrap over rows for all others.
    interval: tuple[float, float]
    test_rows: int
    per_class: list[ClassScore] = []
    macro_f1: float | None = None
    weighted_f1: float | None = None
    micro_f1: float | None = None
    # Per row, all labels of which must be right; per word where the task is token classification.
    accuracy: float | None = None
    confusion: Confusion | None = None
    # Of pairs, where first texts come with several second texts.
    ranking: Ranking | None = None
    # Of regression.
    errors: Errors | None = None
    # The most confident mistakes first.
    worst: list[WorstPrediction]
    # Of entities: how many were mistaken in which way.
    entity_errors: dict[ErrorKind, int] | None = None
    # Of chat, whose metric is its likelihood.
    chat: ChatScores | None = None


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
    # The optimiser step at which training went wrong and was ended; the model is the best until then.
    diverged_at_step: int | None = None
    # Whether the validation rows, once they had chosen the settings, were learnt from as well.
    refitted: bool = False
    # None where a task has no probabilities, or an earlier release made the report.
    calibration: Calibration | None = None
    suspects: SuspectCount | None = None
    learning_curve: LearningCurve | None = None
    # Package name to version, of what decides the result.
    packages: dict[str, str] = {}
