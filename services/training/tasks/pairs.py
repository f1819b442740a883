"""Pairs of texts with the label of how they relate: entailment, the same or not, relevant to it or not.

Quick embeds each text for itself with the frozen base, and fits a logistic regression on both embeddings,
their difference and their product. Best and Custom go on to read both texts at once, which sees far more, and
train all weights but the embedding table; Quick's way stays where that was no better.

Where a first text comes with several second texts, as a person's history does with items, the report also
says how well these are put in order.
"""

from torch import Tensor

from services.training import fitting, networks
from services.training.artefact import card
from services.training.context import Run
from services.training.course import Outcome, learn
from services.training.examples import PairExample, TextExample, read_pairs
from services.training.networks import PairClassifier
from services.training.process.events import Phase
from services.training.reporting import calibration, evaluation, evidence, ranking, study
from services.training.reporting.baselines import pair_baselines
from services.training.stages import Outputs, Quick, Reached
from services.training.tasks import texts
from services.training.tasks.texts import Data
from services.training.trained import Trained


def train(run: Run) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: fewer than two labels, a split without rows, or a label that the spec does not name.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    with run.journal.phase(Phase.loading):
        data = _load(run)
        network = PairClassifier(networks.pretrained(run.spec.base_model_path), len(run.labels))
        network.to(run.machine.device)
    return learn(run, network, data, quick=_quick, finetune=_finetune, outputs=texts.outputs, judge=_judge)


def _load(run: Run) -> Data[PairExample]:
    return texts.encode(
        run,
        texts.splits(run, read_pairs),
        first=lambda row: row.first,
        second=lambda row: row.second,
        targets=lambda rows: texts.numbers([row.label for row in rows], run.labels),
    )


def _quick(run: Run, network: PairClassifier, data: Data[PairExample]) -> Quick:
    def look(features: dict[str, Tensor], head: fitting.Head) -> study.Study:
        return study.texts(_as_texts(data), run.labels, features, data.targets, head)

    return texts.quick(
        run, network, data, head="apart", method=fitting.LOGISTIC, score=_score, metric="accuracy", study=look
    )


def _finetune(run: Run, network: PairClassifier, data: Data[PairExample]) -> Reached:
    network.read_together()
    return texts.finetune(run, network, data, score=_score, metric="accuracy", answers=_answers)


def _answers(logits: Tensor, _: Tensor) -> Tensor:
    return logits.argmax(1)


def _score(logits: Tensor, targets: Tensor) -> dict[str, float]:
    return {"accuracy": int((logits.argmax(1) == targets).sum()) / len(targets)}


def _judge(run: Run, network: PairClassifier, data: Data[PairExample], outcome: Outcome) -> Trained:
    logits = {split: one.numpy() for split, one in outcome.outputs.items()}
    temperature = calibration.temperature(logits["validation"], data.targets["validation"].numpy())
    answers = evidence.probabilities(logits["test"], temperature)
    learned, test, others = data.rows["train"], data.rows["test"], {}
    if outcome.quick:
        others["quick"] = _named(run, outcome.quick)
    as_texts = _as_texts(data)
    scores = evaluation.score_texts(as_texts["test"], run.labels, answers)
    order = ranking.of_labels(learned, test, run.labels, answers)
    return Trained(
        network=network,
        card=card(run, "pair-linear", pairs=True, temperature=temperature),
        scores=scores.model_copy(update={"ranking": order}),
        baselines=pair_baselines(learned, test, _named(run, outcome.outputs), **others),
        rows=data.counts,
        truncated_rows=data.truncated,
        reached=outcome.reached,
        evidence=evidence.of_texts(as_texts, run.labels, logits, temperature),
    )


def _named(run: Run, outputs: Outputs) -> list[str]:
    """The answers to the test rows."""
    return [run.labels[answer] for answer in outputs["test"].argmax(1).tolist()]


def _as_texts(data: Data[PairExample]) -> dict[str, list[TextExample]]:
    return {
        split: [TextExample(row.row, f"{row.first}\n{row.second}", row.label) for row in rows]
        for split, rows in data.rows.items()
    }
