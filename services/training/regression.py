"""A number for each text, or for each pair of texts.

Quick fits a ridge regression on frozen embeddings; of a pair, on both, their difference and their product.
Best and Custom go on to train all weights but the embedding table, where a pair is read at once. Targets are
standardised, so that one learning rate suits prices and grades alike; answers are in the customer's own unit.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import linear

from services.training import fitting, networks, ranking, readings, regression_scores, stages
from services.training.artefact import Card, Scale
from services.training.baselines import score_baselines
from services.training.events import Phase
from services.training.examples import SPLITS, ScoreExample, read_scored
from services.training.failures import DataDoesNotFit
from services.training.finetune import Stage, finetune
from services.training.folder import RunFolder
from services.training.journal import Journal
from services.training.machine import Machine
from services.training.networks import PairScorer, TextScorer
from services.training.readings import Pairs, Texts
from services.training.recipe import Preset, RunSpec, Task
from services.training.report import RowCounts
from services.training.stages import Reached
from services.training.tokenizing import load_tokenizer
from services.training.trained import Trained

# Of the errors on the validation rows, so many lie within the error band that an answer carries.
BAND = 0.8


@dataclass(frozen=True)
class _Data:
    """By the names of the splits: the rows and what is read of them; and the training scores' scale."""

    rows: dict[str, list[ScoreExample]]
    read: dict[str, Texts] | dict[str, Pairs]
    mean: float
    deviation: float

    def truth(self, split: str) -> NDArray[np.float64]:
        """(rows), in the customer's unit."""
        return np.array([row.score for row in self.rows[split]])

    def targets(self, split: str) -> Tensor:
        """(rows), standardised."""
        return torch.from_numpy((self.truth(split) - self.mean) / self.deviation).float()

    @property
    def truncated(self) -> int:
        """Rows that were cut."""
        return sum(part.cut for part in self.read.values())


def train(folder: RunFolder, spec: RunSpec, machine: Machine, journal: Journal) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: a split without rows, one text in some rows and two in others, or the same score in
            all training rows.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    limit = spec.recipe.hyperparameters.max_length
    with journal.phase(Phase.loading):
        data = _load(folder, spec)
        if data.truncated:
            journal.note(f"{data.truncated} rows have more than {limit} tokens; the rest is not read.")
        encoder = networks.pretrained(spec.base_model_path)
        pairs = isinstance(data.read["test"], Pairs)
        network = (PairScorer(encoder, 1) if pairs else TextScorer(encoder, 1)).to(machine.device)

    if folder.has_quick():
        reached = stages.restore(network, folder.quick)
    else:
        reached = _quick(network, data, folder, machine, journal)
    if spec.recipe.preset is not Preset.quick:
        reached = stages.go_on(
            network,
            reached,
            lambda: _finetune(network, data, spec, folder, machine, journal),
            quick_steps=0,
            preset=spec.recipe.preset,
            folder=folder,
            journal=journal,
        )

    with journal.phase(Phase.evaluating):
        held_out = _answers(network, data, "validation", machine)
        band = float(np.quantile(np.abs(held_out - data.truth("validation")), BAND))
        test = data.rows["test"]
        answers = _answers(network, data, "test", machine, journal)
        scores = regression_scores.score(test, answers)
        order = ranking.of_scores(data.rows["train"], test, answers) if pairs else None

    return Trained(
        network=network,
        card=Card(
            task=Task.regression,
            outputs=["score"],
            labels=[],
            max_length=limit,
            architecture="pair-score" if pairs else "mean-pooled-score",
            base_model=spec.recipe.base_model,
            pairs=pairs,
            scale=Scale(mean=data.mean, deviation=data.deviation, error=band),
        ),
        scores=scores.model_copy(update={"ranking": order}),
        baselines=score_baselines(data.rows["train"], test),
        rows=RowCounts(**{split: len(rows) for split, rows in data.rows.items()}),
        truncated_rows=data.truncated,
        reached=reached,
    )


def _load(folder: RunFolder, spec: RunSpec) -> _Data:
    rows = {split: read_scored(folder.split(split)) for split in SPLITS}
    for split in SPLITS:
        if not rows[split]:
            raise DataDoesNotFit(f"The {split} split has no rows. Upload more rows, or split them otherwise.")
    kinds = {bool(row.second) for split in SPLITS for row in rows[split]}
    if len(kinds) > 1:
        raise DataDoesNotFit("Some rows have one text and others have two. Upload rows of one kind.")
    scores = np.array([row.score for row in rows["train"]])
    if scores.min() == scores.max():
        raise DataDoesNotFit(
            f"All training rows have the score {scores[0]:g}, so there is nothing to learn. "
            "Upload rows of different scores."
        )

    tokenizer = load_tokenizer(spec.base_model_path, cut_to=spec.recipe.hyperparameters.max_length)
    firsts = {split: [row.first for row in rows[split]] for split in SPLITS}
    seconds = {split: [row.second for row in rows[split]] for split in SPLITS}
    return _Data(
        rows=rows,
        read={split: readings.pairs(tokenizer, firsts[split], seconds[split]) for split in SPLITS}
        if kinds == {True}
        else {split: readings.texts(tokenizer, firsts[split]) for split in SPLITS},
        mean=float(scores.mean()),
        deviation=float(scores.std()),
    )


def _quick(
    network: TextScorer | PairScorer, data: _Data, folder: RunFolder, machine: Machine, journal: Journal
) -> Reached:
    """Fit the head on the frozen base by ridge regression, scored by R² on the validation rows."""
    with journal.phase(Phase.embedding):
        parts = [data.read["train"], data.read["validation"]]
        features, held_out = readings.embedded(network, parts, folder, machine, journal)

    def score(weight: Tensor, bias: Tensor) -> dict[str, float]:
        return _r2(data, linear(held_out, weight, bias))

    head = network.apart if isinstance(network, PairScorer) else network.head
    with journal.phase(Phase.fitting):
        best = fitting.fit_scores(head, features, data.targets("train"), score, "r2", journal)
    return Reached(best, tokens=readings.tokens(data.read["train"]))


def _finetune(
    network: TextScorer | PairScorer,
    data: _Data,
    spec: RunSpec,
    folder: RunFolder,
    machine: Machine,
    journal: Journal,
) -> Reached:
    """Train all weights but the embedding table, scored by R² on the validation rows."""
    networks.freeze_embedding_table(network.encoder)
    if isinstance(network, PairScorer):
        network.read_together()

    def score() -> dict[str, float]:
        return _r2(data, readings.outputs(network, data.read["validation"], machine))

    with journal.phase(Phase.training):
        return finetune(
            network,
            readings.rows(network, data.read["train"], data.targets("train")),
            readings.collate(network),
            score,
            metric="r2",
            stage=Stage("full", spec.recipe.hyperparameters),
            seed=spec.recipe.seed,
            folder=folder,
            machine=machine,
            journal=journal,
        )


def _answers(
    network: TextScorer | PairScorer,
    data: _Data,
    split: str,
    machine: Machine,
    journal: Journal | None = None,
) -> NDArray[np.float64]:
    """(rows), in the rows' order and the customer's unit."""
    tell = journal.pace(len(data.rows[split])) if journal else None
    outputs = readings.outputs(network, data.read[split], machine, tell)
    answers: NDArray[np.float64] = outputs.double().squeeze(-1).numpy() * data.deviation + data.mean
    return answers


def _r2(data: _Data, outputs: Tensor) -> dict[str, float]:
    answers = outputs.double().squeeze(-1).numpy()
    return {"r2": regression_scores.r2(data.targets("validation").double().numpy(), answers)}
