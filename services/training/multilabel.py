"""Several labels for each text, or none: each label is a yes or no of its own.

Quick embeds the texts once with the frozen base and fits a logistic regression for each label. Best and
Custom go on from these and train all weights but the embedding table. From which probability on a label is
given is chosen for each label on the validation rows, and kept with the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import linear

from services.training import fitting, labels_scores, networks, readings, stages, thresholds
from services.training.answered import Answered
from services.training.artefact import Card
from services.training.baselines import label_baselines
from services.training.events import Phase
from services.training.evidence import Evidence
from services.training.examples import SPLITS, MultiLabelExample, read_labelled
from services.training.failures import DataDoesNotFit
from services.training.finetune import Stage, finetune
from services.training.folder import RunFolder
from services.training.journal import Journal
from services.training.machine import Machine
from services.training.networks import MultiLabelClassifier
from services.training.readings import Texts
from services.training.recipe import Preset, RunSpec, Task
from services.training.report import RowCounts
from services.training.stages import Reached
from services.training.tokenizing import load_tokenizer
from services.training.trained import Trained


@dataclass(frozen=True)
class _Data:
    """By the names of the splits: the rows, what is read of them, and labels, (rows, labels) of 0 and 1."""

    rows: dict[str, list[MultiLabelExample]]
    read: dict[str, Texts]
    targets: dict[str, Tensor]

    @property
    def truncated(self) -> int:
        """Texts that were cut."""
        return sum(texts.cut for texts in self.read.values())


def train(folder: RunFolder, spec: RunSpec, machine: Machine, journal: Journal) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: no label, a split without rows, or a label that the spec does not name.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    with journal.phase(Phase.loading):
        data = _load(folder, spec)
        if data.truncated:
            limit = spec.recipe.hyperparameters.max_length
            journal.note(
                f"{data.truncated} texts have more than {limit} tokens; only their beginning is read."
            )
        network = MultiLabelClassifier(networks.pretrained(spec.base_model_path), len(spec.labels)).to(
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
        held_out = _probabilities(network, data.read["validation"], machine)
        chosen = thresholds.choose(_truth(data.targets["validation"]), held_out)
        answers = _probabilities(network, data.read["test"], machine, journal)
        scores = labels_scores.score(data.rows["test"], spec.labels, answers, chosen)
        given = thresholds.given(answers, chosen)
        baselines = label_baselines(data.rows, spec.labels, labels_scores.named(given, spec.labels))
        found = Evidence(
            answered=[
                *_answered("validation", data.rows["validation"], spec.labels, held_out, chosen),
                *_answered("test", data.rows["test"], spec.labels, answers, chosen),
            ]
        )

    return Trained(
        network=network,
        card=Card(
            task=Task.multi_label,
            outputs=spec.labels,
            labels=spec.labels,
            max_length=spec.recipe.hyperparameters.max_length,
            architecture="mean-pooled-sigmoid",
            base_model=spec.recipe.base_model,
            thresholds=chosen.tolist(),
        ),
        scores=scores,
        baselines=baselines,
        rows=RowCounts(**{split: len(rows) for split, rows in data.rows.items()}),
        truncated_rows=data.truncated,
        reached=reached,
        evidence=found,
    )


def _load(folder: RunFolder, spec: RunSpec) -> _Data:
    rows = {split: read_labelled(folder.split(split)) for split in SPLITS}
    for split in SPLITS:
        if not rows[split]:
            raise DataDoesNotFit(f"The {split} split has no rows. Upload more rows, or split them otherwise.")
    if not spec.labels:
        raise DataDoesNotFit("No row has a label, so there is nothing to learn. Upload rows with labels.")

    tokenizer = load_tokenizer(spec.base_model_path, cut_to=spec.recipe.hyperparameters.max_length)
    return _Data(
        rows=rows,
        read={split: readings.texts(tokenizer, [row.text for row in rows[split]]) for split in SPLITS},
        targets={split: _targets(rows[split], spec.labels) for split in SPLITS},
    )


def _targets(rows: Sequence[MultiLabelExample], labels: Sequence[str]) -> Tensor:
    """(rows, labels), one where a label belongs to a row."""
    try:
        return torch.from_numpy(labels_scores.indicators([row.labels for row in rows], labels)).float()
    except KeyError as unknown:
        raise DataDoesNotFit(
            f"The label {unknown} is in the rows but not among the labels to learn."
        ) from None


def _quick(
    network: MultiLabelClassifier, data: _Data, folder: RunFolder, machine: Machine, journal: Journal
) -> Reached:
    """Fit the head on the frozen base, a logistic regression for each label, scored by validation F1."""
    with journal.phase(Phase.embedding):
        parts = [data.read["train"], data.read["validation"]]
        features, held_out = readings.embedded(network, parts, folder, machine, journal)

    def score(weight: Tensor, bias: Tensor) -> dict[str, float]:
        return _f1(linear(held_out, weight, bias).sigmoid().numpy(), data.targets["validation"])

    with journal.phase(Phase.fitting):
        best, _ = fitting.fit_head(
            network.head,
            features,
            data.targets["train"],
            score,
            "f1",
            journal,
            loss_of=fitting.one_vs_rest,
        )
    return Reached(best, tokens=readings.tokens(data.read["train"]))


def _finetune(
    network: MultiLabelClassifier,
    data: _Data,
    spec: RunSpec,
    folder: RunFolder,
    machine: Machine,
    journal: Journal,
) -> Reached:
    """Train all weights but the embedding table, from the head there is, scored by validation F1."""
    networks.freeze_embedding_table(network.encoder)

    def score() -> dict[str, float]:
        return _f1(_probabilities(network, data.read["validation"], machine), data.targets["validation"])

    with journal.phase(Phase.training):
        return finetune(
            network,
            readings.rows(network, data.read["train"], data.targets["train"]),
            readings.collate(network),
            score,
            metric="f1",
            stage=Stage("full", spec.recipe.hyperparameters),
            seed=spec.recipe.seed,
            folder=folder,
            machine=machine,
            journal=journal,
        )


def _probabilities(
    network: MultiLabelClassifier, texts: Texts, machine: Machine, journal: Journal | None = None
) -> NDArray[np.float32]:
    """(rows, labels), in the rows' order."""
    tell = journal.pace(len(texts.ids)) if journal else None
    probabilities: NDArray[np.float32] = readings.outputs(network, texts, machine, tell).sigmoid().numpy()
    return probabilities


def _answered(
    split: str,
    rows: Sequence[MultiLabelExample],
    labels: Sequence[str],
    probabilities: NDArray[np.float32],
    chosen: NDArray[np.float32],
) -> list[Answered]:
    given = thresholds.given(probabilities, chosen)
    return [
        Answered(
            split=split,
            row=row.row,
            text=row.text,
            truth=list(row.labels),
            predicted=said,
            confidence=own[yes].tolist(),
            scores=own.tolist(),
        )
        for row, said, own, yes in zip(
            rows, labels_scores.named(given, labels), probabilities, given, strict=True
        )
    ]


def _truth(targets: Tensor) -> NDArray[np.bool_]:
    truth: NDArray[np.bool_] = targets.numpy() > 0
    return truth


def _f1(probabilities: NDArray[np.float32], targets: Tensor) -> dict[str, float]:
    """Micro F1 with the thresholds that are best on these very rows."""
    truth = _truth(targets)
    answers = thresholds.given(probabilities, thresholds.choose(truth, probabilities))
    return {"f1": labels_scores.micro_f1(truth, answers)}
