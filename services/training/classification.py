"""Text classification: one label for each text.

Quick embeds the texts once with the frozen base and fits the head by logistic regression. Best and Custom
go on from that head and train all weights but the embedding table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear

from services.training import batches, calibration, evaluation, evidence, fitting, networks, stages, study
from services.training.artefact import Card
from services.training.baselines import text_baselines
from services.training.events import Phase
from services.training.examples import SPLITS, TextExample, read_texts
from services.training.failures import DataDoesNotFit
from services.training.finetune import Row, Stage, finetune
from services.training.folder import RunFolder
from services.training.journal import Journal
from services.training.machine import Machine
from services.training.networks import TextClassifier
from services.training.recipe import Preset, RunSpec, Task
from services.training.report import RowCounts
from services.training.stages import Reached
from services.training.study import Study
from services.training.tokenizing import encode_texts, load_tokenizer
from services.training.trained import Trained
from services.training.wishes import heed_pause

# The splits whose every answer is kept.
_CHECKED = ("validation", "test")


@dataclass(frozen=True)
class _Data:
    """By the names of the splits: the rows, their sub-word ids, and the numbers of their labels."""

    rows: dict[str, list[TextExample]]
    ids: dict[str, list[list[int]]]
    targets: dict[str, Tensor]
    truncated: int
    labels: list[str]


def train(folder: RunFolder, spec: RunSpec, machine: Machine, journal: Journal) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: fewer than two labels, a split without rows, or a label that the spec does not name.
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
        network = TextClassifier(networks.pretrained(spec.base_model_path), len(spec.labels)).to(
            machine.device
        )

    if folder.has_quick():
        reached = stages.restore(network, folder.quick)
        looked = study.restore(folder.study)
    else:
        reached, features, looked = _quick(network, data, folder, machine, journal)
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
        if spec.recipe.preset is Preset.quick:
            head = network.head.requires_grad_(False)
            logits = {split: head(features[split]).numpy() for split in _CHECKED}
            others = {}
        else:
            logits = {
                split: _logits(network, data.ids[split], machine, journal).numpy() for split in _CHECKED
            }
            others = {"quick": [spec.labels[answer] for answer in looked.quick_answers]}
        network.temperature = calibration.temperature(
            logits["validation"], data.targets["validation"].numpy()
        )
        test = data.rows["test"]
        answers = evidence.probabilities(logits["test"], network.temperature)
        scores = evaluation.score_texts(test, spec.labels, answers)
        baselines = text_baselines(
            data.rows["train"], test, [spec.labels[answer] for answer in answers.argmax(1)], **others
        )
        found = evidence.of_texts(data.rows, spec.labels, logits, network.temperature, looked)

    return Trained(
        network=network,
        card=Card(
            task=Task.text_classification,
            outputs=spec.labels,
            labels=spec.labels,
            max_length=spec.recipe.hyperparameters.max_length,
            architecture="mean-pooled-linear",
            base_model=spec.recipe.base_model,
            temperature=network.temperature,
        ),
        scores=scores,
        baselines=baselines,
        rows=RowCounts(**{split: len(rows) for split, rows in data.rows.items()}),
        truncated_rows=data.truncated,
        reached=reached,
        evidence=found,
    )


def _load(folder: RunFolder, spec: RunSpec) -> _Data:
    rows = {split: read_texts(folder.split(split)) for split in SPLITS}
    for split in SPLITS:
        if not rows[split]:
            raise DataDoesNotFit(f"The {split} split has no rows. Upload more rows, or split them otherwise.")
    if len(spec.labels) < 2:
        raise DataDoesNotFit(
            "There is only one label, so there is nothing to learn. Upload rows of at least two."
        )

    tokenizer = load_tokenizer(spec.base_model_path, cut_to=spec.recipe.hyperparameters.max_length)
    encoded = {split: encode_texts(tokenizer, [row.text for row in rows[split]]) for split in SPLITS}
    return _Data(
        rows=rows,
        ids={split: ids for split, (ids, _) in encoded.items()},
        targets={split: _targets(rows[split], spec.labels) for split in SPLITS},
        truncated=sum(cut for _, cut in encoded.values()),
        labels=spec.labels,
    )


def _targets(rows: Sequence[TextExample], labels: Sequence[str]) -> Tensor:
    """(rows), the number of each row's label."""
    numbers = {label: number for number, label in enumerate(labels)}
    try:
        return torch.tensor([numbers[row.label] for row in rows])
    except KeyError as unknown:
        raise DataDoesNotFit(
            f"The label {unknown} is in the rows but not among the labels to learn."
        ) from None


def _quick(
    network: TextClassifier, data: _Data, folder: RunFolder, machine: Machine, journal: Journal
) -> tuple[Reached, dict[str, Tensor], Study]:
    """Fit the head on the frozen base by logistic regression, scored by accuracy on the validation rows.

    Gives the features by split, too: (rows, features), and what they tell about the rows.
    """
    network.eval()
    with journal.phase(Phase.embedding):
        rows = [ids for split in SPLITS for ids in data.ids[split]]
        padding = networks.padding_id(network.encoder)
        pace = journal.pace(len(rows))

        def tell(done: int) -> None:
            pace(done)
            heed_pause(folder)

        embedded = torch.stack(batches.compute(network.embed, rows, padding, machine, tell))
        parts = torch.split(embedded, [len(data.ids[split]) for split in SPLITS])
        features = dict(zip(SPLITS, parts, strict=True))

    def score(weight: Tensor, bias: Tensor) -> dict[str, float]:
        return _accuracy(linear(features["validation"], weight, bias), data.targets["validation"])

    with journal.phase(Phase.fitting):
        best = fitting.fit_head(
            network.head, features["train"], data.targets["train"], score, "accuracy", journal
        )
        looked = study.texts(data.rows, data.labels, features, data.targets, network.head)
    folder.checkpoints.mkdir(parents=True, exist_ok=True)
    looked.save(folder.study)
    return Reached(best, tokens=sum(map(len, data.ids["train"]))), features, looked


def _finetune(
    network: TextClassifier, data: _Data, spec: RunSpec, folder: RunFolder, machine: Machine, journal: Journal
) -> Reached:
    """Train all weights but the embedding table, from the head there is, scored by validation accuracy."""
    networks.freeze_embedding_table(network.encoder)
    padding = networks.padding_id(network.encoder)
    rows = [
        {"input_ids": ids, "labels": int(target)}
        for ids, target in zip(data.ids["train"], data.targets["train"], strict=True)
    ]

    def collate(batch: list[Row]) -> dict[str, Tensor]:
        inputs = batches.inputs([row["input_ids"] for row in batch], padding)
        return {**inputs, "labels": torch.tensor([row["labels"] for row in batch])}

    def score() -> dict[str, float]:
        return _accuracy(_logits(network, data.ids["validation"], machine), data.targets["validation"])

    with journal.phase(Phase.training):
        return finetune(
            network,
            rows,
            collate,
            score,
            metric="accuracy",
            stage=Stage("full", spec.recipe.hyperparameters),
            seed=spec.recipe.seed,
            folder=folder,
            machine=machine,
            journal=journal,
        )


def _logits(
    network: TextClassifier, ids: list[list[int]], machine: Machine, journal: Journal | None = None
) -> Tensor:
    """(rows, labels), in the rows' order."""
    network.eval()
    padding = networks.padding_id(network.encoder)
    tell = journal.pace(len(ids)) if journal else None
    return torch.stack(batches.compute(network.logits, ids, padding, machine, tell))


def _accuracy(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    return {"accuracy": int((outputs.argmax(1) == targets).sum()) / len(targets)}
