"""Several labels for each text, or none: each label is a yes or no of its own.

Quick fits a logistic regression for each label on frozen embeddings, and what each sub-word adds to it; Best
and Custom go on without those words, and train all weights but the embedding table. From which probability on
a label is given is chosen for each label on validation rows that the model has not learnt from, and kept with
it.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.training import fitting, networks
from services.training.artefact import card
from services.training.context import Run
from services.training.course import Outcome, learn
from services.training.examples import MultiLabelExample, read_labelled
from services.training.failures import DataDoesNotFit
from services.training.networks import MultiLabelClassifier
from services.training.process.events import Phase
from services.training.reporting import calibration, evidence, labels_scores, study, thresholds
from services.training.reporting.baselines import label_baselines
from services.training.stages import Outputs, Quick, Reached
from services.training.tasks import texts
from services.training.tasks.texts import Data
from services.training.trained import Trained
from services.training.words import Words

Floats = NDArray[np.float32]


def train(run: Run) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: no label, a split without rows, or a label that the spec does not name.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    with run.journal.phase(Phase.loading):
        data = _load(run)
        network = MultiLabelClassifier(networks.pretrained(run.spec.base_model_path), len(run.labels))
        network.to(run.machine.device)
    return learn(run, network, data, quick=_quick, finetune=_finetune, outputs=texts.outputs, judge=_judge)


def _load(run: Run) -> Data[MultiLabelExample]:
    rows = texts.splits(run, read_labelled)
    if not run.labels:
        raise DataDoesNotFit("No row has a label, so there is nothing to learn. Upload rows with labels.")

    def targets(some: list[MultiLabelExample]) -> Tensor:
        """(rows, labels), one where a label belongs to a row."""
        try:
            return torch.from_numpy(
                labels_scores.indicators([row.labels for row in some], run.labels)
            ).float()
        except KeyError as unknown:
            raise texts.unknown_label(unknown) from None

    return texts.encode(run, rows, first=lambda row: row.text, targets=targets)


def _quick(run: Run, network: MultiLabelClassifier, data: Data[MultiLabelExample]) -> Quick:
    words = Words(
        {split: read.ids for split, read in data.read.items()},
        data.targets,
        network.words,
        loss_of=fitting.one_vs_rest,
    )

    def look(features: dict[str, Tensor], head: fitting.Head) -> study.Study:
        # By then the network has what was chosen.
        counted = words.together if network.words.weight.any() else None
        return study.labelled(data.rows, run.labels, features, data.targets, head, counted)

    return texts.quick(
        run,
        network,
        data,
        head="head",
        method=fitting.ONE_VS_REST,
        score=_score,
        metric="f1",
        rank=fitting.likelihood,
        study=look,
        keywords=words,
    )


def _finetune(run: Run, network: MultiLabelClassifier, data: Data[MultiLabelExample]) -> Reached:
    # With them the training rows leave the base model too little to learn (docs/decisions/0008).
    network.words.forget()
    return texts.finetune(run, network, data, score=_score, metric="f1", answers=_answers)


def _score(logits: Tensor, targets: Tensor) -> dict[str, float]:
    """Micro F1 with the thresholds that are best on these very rows."""
    return {"f1": labels_scores.micro_f1(_truth(targets), _answers(logits, targets))}


def _answers(logits: Tensor, targets: Tensor) -> NDArray[np.bool_]:
    probabilities = logits.sigmoid().numpy()
    return thresholds.given(probabilities, thresholds.choose(_truth(targets), probabilities))


def _judge(
    run: Run, network: MultiLabelClassifier, data: Data[MultiLabelExample], outcome: Outcome
) -> Trained:
    test, others = data.rows["test"], {}
    logits, temperature, chosen = _decided(data, outcome.outputs)
    if outcome.quick:
        others["quick"] = _named(run, *_decided(data, outcome.quick))
    probabilities = evidence.sigmoid(logits["test"], temperature)
    return Trained(
        network=network,
        card=card(run, "mean-pooled-sigmoid", thresholds=chosen.tolist(), temperature=temperature),
        scores=labels_scores.score(test, run.labels, probabilities, chosen),
        baselines=label_baselines(data.rows, run.labels, _named(run, logits, temperature, chosen), **others),
        rows=data.counts,
        truncated_rows=data.truncated,
        reached=outcome.reached,
        evidence=evidence.of_labelled(data.rows, run.labels, logits, temperature, chosen),
    )


def _decided(data: Data[MultiLabelExample], outputs: Outputs) -> tuple[dict[str, Floats], float, Floats]:
    """Logits by split (rows, labels), the temperature, and (labels), the thresholds, by validation rows."""
    logits = {split: one.numpy() for split, one in outputs.items()}
    held_out, truth = logits["validation"], _truth(data.targets["validation"])
    temperature = calibration.temperature(held_out, truth.astype(int), calibration.sigmoid_loss)
    return logits, temperature, thresholds.choose(truth, evidence.sigmoid(held_out, temperature))


def _named(run: Run, logits: dict[str, Floats], temperature: float, chosen: Floats) -> list[list[str]]:
    """The labels of the test rows."""
    answers = thresholds.given(evidence.sigmoid(logits["test"], temperature), chosen)
    return labels_scores.named(answers, run.labels)


def _truth(targets: Tensor) -> NDArray[np.bool_]:
    truth: NDArray[np.bool_] = targets.numpy() > 0
    return truth
