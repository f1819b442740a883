"""Text classification: one label for each text.

Quick embeds the texts once with the frozen base and fits the head by logistic regression: on the training
rows, to choose how strongly, and then on those and the validation rows. Best and Custom go on from the head
that has not seen the validation rows, and train all weights but the embedding table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import linear

from services.training import (
    batches,
    calibration,
    evaluation,
    evidence,
    fitting,
    networks,
    publishing,
    stages,
    study,
)
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


@dataclass(frozen=True)
class _Quick:
    """What Quick came to."""

    reached: Reached
    # By name, after it has learnt from the validation rows, too.
    refitted: dict[str, Tensor]
    # (rows, labels): of the validation rows before that, of the test rows after it.
    logits: dict[str, Tensor]
    looked: Study


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

    alone = spec.recipe.preset is Preset.quick
    if folder.has_quick():
        reached = stages.restore(network, folder.quick)
        looked, refitted = study.restore(folder.study), dict[str, Tensor]()
    else:
        quick = _quick(network, data, folder, machine, journal)
        reached, looked, refitted = quick.reached, quick.looked, quick.refitted
        chosen = stages.swap(network, refitted)
        with journal.phase(Phase.evaluating if alone else Phase.publishing):
            first = _judged(network, data, spec, reached, quick.logits, looked)
            if alone:
                return first
            publishing.publish_first(first, spec, folder, machine, journal)
        stages.swap(network, chosen)
    reached = stages.go_on(
        network,
        reached,
        lambda: _finetune(network, data, spec, folder, machine, journal),
        quick_steps=0,
        preset=spec.recipe.preset,
        folder=folder,
        journal=journal,
        refitted=refitted,
    )
    with journal.phase(Phase.evaluating):
        logits = {split: _logits(network, data.ids[split], machine, journal) for split in _CHECKED}
        others = {"quick": [spec.labels[answer] for answer in looked.quick_answers]}
        return _judged(network, data, spec, reached, logits, looked, **others)


def _judged(
    network: TextClassifier,
    data: _Data,
    spec: RunSpec,
    reached: Reached,
    logits: dict[str, Tensor],
    looked: Study,
    **others: list[str],
) -> Trained:
    """By split (rows, labels); `others` are the test rows' answers of other models, by name.

    The temperature is measured on the validation rows, unless the model has learnt from them.
    """
    outputs = {split: one.numpy() for split, one in logits.items()}
    network.temperature = reached.temperature or calibration.temperature(
        outputs["validation"], data.targets["validation"].numpy()
    )
    test = data.rows["test"]
    answers = evidence.probabilities(outputs["test"], network.temperature)
    scores = evaluation.score_texts(test, spec.labels, answers)
    answered = [spec.labels[answer] for answer in answers.argmax(1)]
    baselines = text_baselines(data.rows["train"], test, answered, **others)
    found = evidence.of_texts(data.rows, spec.labels, outputs, network.temperature, looked)
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
) -> _Quick:
    """Fit the head on the frozen base by logistic regression, its strength chosen by the validation rows."""
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
    held_out, truth = features["validation"], data.targets["validation"]

    def score(weight: Tensor, bias: Tensor) -> dict[str, float]:
        return _accuracy(linear(held_out, weight, bias), truth)

    def rank(weight: Tensor, bias: Tensor) -> float:
        return fitting.certainty(linear(held_out, weight, bias), truth)

    with journal.phase(Phase.fitting):
        train, targets = features["train"], data.targets["train"]
        best, strength = fitting.fit_head(network.head, train, targets, score, "accuracy", journal, rank=rank)
        weight, bias = (one.detach().cpu().clone() for one in network.head.parameters())
        logits = {"validation": linear(held_out, weight, bias)}
        fitting.fit(torch.cat([train, held_out]), torch.cat([targets, truth]), weight, bias, strength)
        logits["test"] = linear(features["test"], weight, bias)
        looked = study.texts(data.rows, data.labels, features, data.targets, network.head)
        looked = replace(looked, quick_answers=logits["test"].argmax(1).tolist())
    folder.checkpoints.mkdir(parents=True, exist_ok=True)
    looked.save(folder.study)
    reached = Reached(
        best,
        tokens=sum(map(len, data.ids["train"])),
        refitted=True,
        temperature=calibration.temperature(logits["validation"].numpy(), truth.numpy()),
    )
    return _Quick(reached, {"head.weight": weight, "head.bias": bias}, logits, looked)


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
