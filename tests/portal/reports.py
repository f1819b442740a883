"""Reports as runs write them."""

from services.training.recipe import Recipe, Task
from services.training.reporting.report import (
    Baseline,
    ChatAnswer,
    ChatScores,
    ClassScore,
    Confusion,
    Difference,
    Report,
    RowCounts,
    WorstPrediction,
)


def create_report(**figures: object) -> Report:
    """Two labels, nine of ten rows right."""
    values: dict[str, object] = {
        "task": Task.text_classification,
        "metric": "accuracy",
        "value": 0.9,
        "interval": (0.88, 0.92),
        "validation_value": 0.91,
        "test_rows": 500,
        "per_class": [
            ClassScore(label="card_arrival", precision=0.95, recall=0.85, f1=0.9, support=250),
            ClassScore(label="exchange_rate", precision=0.86, recall=0.95, f1=0.8, support=250),
        ],
        "macro_f1": 0.9,
        "weighted_f1": 0.9,
        "micro_f1": 0.9,
        "accuracy": 0.9,
        "confusion": Confusion(labels=["card_arrival", "exchange_rate"], counts=[[212, 38], [12, 238]]),
        "baselines": [
            Baseline(name="tfidf-logistic-regression", value=0.8),
            Baseline(name="majority", value=0.5),
        ],
        "worst": [
            WorstPrediction(
                row=7, text="is it there yet", truth="card_arrival", predicted="exchange_rate", score=0.99
            )
        ],
        "rows": RowCounts(train=4000, validation=500, test=500),
        "truncated_rows": 0,
        "seconds": {"loading": 1.0, "training": 29.0},
        "base_model": "all-MiniLM-L6-v2",
        "recipe": Recipe(task=Task.text_classification),
        "data_hash": "0" * 64,
        "device": "cpu",
    }
    return Report.model_validate(values | figures)


def create_entity_report() -> Report:
    """Two entity types, found as exact spans."""
    return create_report(
        task=Task.token_classification,
        metric="f1",
        value=0.6,
        interval=(0.5, 0.7),
        per_class=[
            ClassScore(label="person", precision=0.7, recall=0.6, f1=0.65, support=40),
            ClassScore(label="place", precision=0.6, recall=0.5, f1=0.55, support=30),
        ],
        confusion=None,
        baselines=[Baseline(name="most-frequent-tag", value=0.2)],
        recipe=Recipe(task=Task.token_classification),
    )


def create_chat_report(**figures: object) -> Report:
    """Two conversations that were answered in words, by the model and by its base."""
    samples = [
        ChatAnswer(
            row=row,
            question=f"What of <{name}>?",
            turns=1,
            truth=f"{name} is fine.",
            answer=f"{name} is *fine*.",
            base_answer="As a model, I cannot know.",
            rouge_l=1.0,
            base_rouge_l=0.0,
        )
        for row, name in ((3, "mint"), (8, "sage"))
    ]
    scores = ChatScores(
        likelihood=0.25,
        likelihood_interval=(0.2, 0.3),
        base_likelihood=0.05,
        base_interval=(0.04, 0.06),
        tokens=900,
        answers=2,
        exact_match=0.5,
        base_exact_match=0.0,
        rouge_l=0.75,
        base_rouge_l=0.1,
        samples=samples,
        left_out=0,
    )
    against = Difference(
        value=0.2, interval=(0.15, 0.25), p_value=0.001, rows=40, only_first=40, only_second=0
    )
    return create_report(
        task=Task.chat,
        metric="token_likelihood",
        value=0.25,
        interval=(0.2, 0.3),
        test_rows=40,
        per_class=[],
        macro_f1=None,
        weighted_f1=None,
        micro_f1=None,
        accuracy=None,
        confusion=None,
        worst=[],
        base_model="SmolLM2-135M-Instruct",
        baselines=[Baseline(name="base-model", value=0.05, against=against)],
        recipe=Recipe(task=Task.chat),
        chat=scores,
        **figures,
    )
