"""A number for each text, or for each pair of texts.

Quick fits a ridge regression on frozen embeddings; of a pair, on both, their difference and their product.
Best and Custom go on to train all weights but the embedding table, where a pair is read at once. Targets are
standardised, so that one learning rate suits prices and grades alike; answers are in the customer's own unit,
with a band that held four of five errors on validation rows that the model has not learnt from.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.training import fitting, networks
from services.training.artefact import Scale, card
from services.training.context import Run
from services.training.course import Outcome, learn
from services.training.examples import ScoreExample, read_scored
from services.training.failures import DataDoesNotFit
from services.training.networks import PairScorer, TextScorer
from services.training.process.events import Phase
from services.training.reporting import evidence, ranking, regression_scores, study
from services.training.reporting.baselines import score_baselines
from services.training.stages import Outputs, Quick, Reached
from services.training.tasks import texts
from services.training.tasks.texts import Data
from services.training.trained import Trained

# Of the errors on the validation rows, so many lie within the error band that an answer carries.
BAND = 0.8


def train(run: Run) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: a split without rows, one text in some rows and two in others, or the same score in
            all training rows.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    with run.journal.phase(Phase.loading):
        data = _load(run)
        encoder = networks.pretrained(run.spec.base_model_path)
        network = PairScorer(encoder, 1) if _of_pairs(data) else TextScorer(encoder, 1)
        network.to(run.machine.device)
    return learn(run, network, data, quick=_quick, finetune=_finetune, outputs=texts.outputs, judge=_judge)


def _load(run: Run) -> Data[ScoreExample]:
    rows = texts.splits(run, read_scored)
    kinds = {bool(row.second) for some in rows.values() for row in some}
    if len(kinds) > 1:
        raise DataDoesNotFit("Some rows have one text and others have two. Upload rows of one kind.")
    mean, deviation = _scale(rows["train"])
    if not deviation:
        raise DataDoesNotFit(
            f"All training rows have the score {mean:g}, so there is nothing to learn. "
            "Upload rows of different scores."
        )
    return texts.encode(
        run,
        rows,
        first=lambda row: row.first,
        second=(lambda row: row.second) if kinds == {True} else None,
        targets=lambda some: torch.from_numpy((_truth(some) - mean) / deviation).float(),
    )


def _quick(run: Run, network: TextScorer | PairScorer, data: Data[ScoreExample]) -> Quick:
    def look(features: dict[str, Tensor], head: fitting.Head) -> study.Study:
        return study.scored(data.rows, features, data.targets, head)

    head = "apart" if isinstance(network, PairScorer) else "head"
    return texts.quick(
        run, network, data, head=head, method=fitting.RIDGE, score=_score, metric="r2", study=look
    )


def _finetune(run: Run, network: TextScorer | PairScorer, data: Data[ScoreExample]) -> Reached:
    if isinstance(network, PairScorer):
        network.read_together()
    return texts.finetune(run, network, data, score=_score, metric="r2")


def _score(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    answers = outputs.double().squeeze(-1).numpy()
    return {"r2": regression_scores.r2(targets.double().numpy(), answers)}


def _judge(run: Run, network: TextScorer | PairScorer, data: Data[ScoreExample], outcome: Outcome) -> Trained:
    learned, test = data.rows["train"], data.rows["test"]
    mean, deviation = _scale(learned)

    def unscaled(outputs: Outputs) -> dict[str, NDArray[np.float64]]:
        return {split: one.double().squeeze(-1).numpy() * deviation + mean for split, one in outputs.items()}

    answers, others = unscaled(outcome.outputs), {}
    if outcome.quick:
        others["quick"] = unscaled(outcome.quick)["test"]
    errors = np.abs(answers["validation"] - _truth(data.rows["validation"]))
    scale = Scale(mean=mean, deviation=deviation, error=float(np.quantile(errors, BAND)))
    pairs = _of_pairs(data)
    scores = regression_scores.score(test, answers["test"])
    order = ranking.of_scores(learned, test, answers["test"]) if pairs else None
    return Trained(
        network=network,
        card=card(
            run,
            "pair-score" if pairs else "mean-pooled-score",
            outputs=["score"],
            labels=[],
            pairs=pairs,
            scale=scale,
        ),
        scores=scores.model_copy(update={"ranking": order}),
        baselines=score_baselines(learned, test, answers["test"], **others),
        rows=data.counts,
        truncated_rows=data.truncated,
        reached=outcome.reached,
        evidence=evidence.of_scores(data.rows, answers),
    )


def _of_pairs(data: Data[ScoreExample]) -> bool:
    return bool(data.rows["train"][0].second)


def _truth(rows: list[ScoreExample]) -> NDArray[np.float64]:
    """(rows), in the customer's unit."""
    return np.array([row.score for row in rows])


def _scale(rows: list[ScoreExample]) -> tuple[float, float]:
    """Mean and standard deviation; 0 where all scores are the same."""
    scores = _truth(rows)
    return float(scores.mean()), 0.0 if scores.min() == scores.max() else float(scores.std())
