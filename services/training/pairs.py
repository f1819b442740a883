"""Pairs of texts with the label of how they relate: entailment, the same or not, relevant to it or not.

Quick embeds each text for itself with the frozen base, and fits a logistic regression on both embeddings,
their difference and their product. Best and Custom go on to read both texts at once, which sees far more, and
train all weights but the embedding table; Quick's way stays where that was no better.

Where a first text comes with several second texts, as a person's history does with items, the report also
says how well these are put in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear

from services.training import calibration, evaluation, evidence, fitting, networks, ranking, readings, stages
from services.training.artefact import Card
from services.training.baselines import pair_baselines
from services.training.events import Phase
from services.training.examples import SPLITS, PairExample, TextExample, read_pairs
from services.training.failures import DataDoesNotFit
from services.training.finetune import Stage, finetune
from services.training.folder import RunFolder
from services.training.journal import Journal
from services.training.machine import Machine
from services.training.networks import PairClassifier
from services.training.readings import Pairs
from services.training.recipe import Preset, RunSpec, Task
from services.training.report import RowCounts
from services.training.stages import Reached
from services.training.tokenizing import load_tokenizer
from services.training.trained import Trained


@dataclass(frozen=True)
class _Data:
    """By the names of the splits: the rows, what is read of them, and the numbers of their labels."""

    rows: dict[str, list[PairExample]]
    read: dict[str, Pairs]
    targets: dict[str, Tensor]

    @property
    def truncated(self) -> int:
        """Pairs that were cut."""
        return sum(pairs.cut for pairs in self.read.values())


def train(folder: RunFolder, spec: RunSpec, machine: Machine, journal: Journal) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: fewer than two labels, a split without rows, or a label that the spec does not name.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    limit = spec.recipe.hyperparameters.max_length
    with journal.phase(Phase.loading):
        data = _load(folder, spec)
        if data.truncated:
            journal.note(f"{data.truncated} pairs have more than {limit} tokens; their longer text is cut.")
        network = PairClassifier(networks.pretrained(spec.base_model_path), len(spec.labels)).to(
            machine.device
        )

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
        test = data.rows["test"]
        logits = {
            split: readings.outputs(
                network, data.read[split], machine, journal.pace(len(data.rows[split]))
            ).numpy()
            for split in ("validation", "test")
        }
        temperature = calibration.temperature(logits["validation"], data.targets["validation"].numpy())
        answers = evidence.probabilities(logits["test"], temperature)
        texts = {split: _as_texts(data.rows[split]) for split in logits}
        scores = evaluation.score_texts(texts["test"], spec.labels, answers)
        order = ranking.of_labels(data.rows["train"], test, spec.labels, answers)
        said = [spec.labels[answer] for answer in answers.argmax(1)]
        baselines = pair_baselines(data.rows["train"], test, said)
        found = evidence.of_texts(texts, spec.labels, logits, temperature, None)

    return Trained(
        network=network,
        card=Card(
            task=Task.pair_classification,
            outputs=spec.labels,
            labels=spec.labels,
            max_length=limit,
            architecture="pair-linear",
            base_model=spec.recipe.base_model,
            pairs=True,
            temperature=temperature,
        ),
        scores=scores.model_copy(update={"ranking": order}),
        baselines=baselines,
        rows=RowCounts(**{split: len(rows) for split, rows in data.rows.items()}),
        truncated_rows=data.truncated,
        reached=reached,
        evidence=found,
    )


def _load(folder: RunFolder, spec: RunSpec) -> _Data:
    rows = {split: read_pairs(folder.split(split)) for split in SPLITS}
    for split in SPLITS:
        if not rows[split]:
            raise DataDoesNotFit(f"The {split} split has no rows. Upload more rows, or split them otherwise.")
    if len(spec.labels) < 2:
        raise DataDoesNotFit(
            "There is only one label, so there is nothing to learn. Upload pairs of at least two."
        )

    tokenizer = load_tokenizer(spec.base_model_path, cut_to=spec.recipe.hyperparameters.max_length)
    return _Data(
        rows=rows,
        read={
            split: readings.pairs(
                tokenizer, [row.first for row in rows[split]], [row.second for row in rows[split]]
            )
            for split in SPLITS
        },
        targets={split: _targets(rows[split], spec.labels) for split in SPLITS},
    )


def _targets(rows: Sequence[PairExample], labels: Sequence[str]) -> Tensor:
    """(rows), the number of each row's label."""
    numbers = {label: number for number, label in enumerate(labels)}
    try:
        return torch.tensor([numbers[row.label] for row in rows])
    except KeyError as unknown:
        raise DataDoesNotFit(
            f"The label {unknown} is in the rows but not among the labels to learn."
        ) from None


def _quick(
    network: PairClassifier, data: _Data, folder: RunFolder, machine: Machine, journal: Journal
) -> Reached:
    """Fit the head of texts read apart by logistic regression, scored by accuracy on the validation rows."""
    with journal.phase(Phase.embedding):
        parts = [data.read["train"], data.read["validation"]]
        features, held_out = readings.embedded(network, parts, folder, machine, journal)

    def score(weight: Tensor, bias: Tensor) -> dict[str, float]:
        return _accuracy(linear(held_out, weight, bias), data.targets["validation"])

    with journal.phase(Phase.fitting):
        best, _ = fitting.fit_head(network.apart, features, data.targets["train"], score, "accuracy", journal)
    return Reached(best, tokens=readings.tokens(data.read["train"]))


def _finetune(
    network: PairClassifier, data: _Data, spec: RunSpec, folder: RunFolder, machine: Machine, journal: Journal
) -> Reached:
    """Train all weights but the embedding table to read both texts at once, scored by validation accuracy."""
    networks.freeze_embedding_table(network.encoder)
    network.read_together()

    def score() -> dict[str, float]:
        outputs = readings.outputs(network, data.read["validation"], machine)
        return _accuracy(outputs, data.targets["validation"])

    with journal.phase(Phase.training):
        return finetune(
            network,
            readings.rows(network, data.read["train"], data.targets["train"]),
            readings.collate(network),
            score,
            metric="accuracy",
            stage=Stage("full", spec.recipe.hyperparameters),
            seed=spec.recipe.seed,
            folder=folder,
            machine=machine,
            journal=journal,
        )


def _accuracy(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    return {"accuracy": int((outputs.argmax(1) == targets).sum()) / len(targets)}


def _as_texts(rows: Sequence[PairExample]) -> list[TextExample]:
    return [TextExample(row.row, f"{row.first}\n{row.second}", row.label) for row in rows]
