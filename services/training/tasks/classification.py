"""Text classification: one label for each text.

Quick fits the head by logistic regression on frozen embeddings, and what each sub-word adds to it. Few-shot
asks whether the labels' names and a contrastive loss help beside that. Best and Custom go on without those
words and train all weights but the embedding table; Best then looks between Quick's weights and those, where
Quick's words count again.
"""

from torch import Tensor
from torch.nn.functional import cross_entropy

from services.training import fitting, networks
from services.training.artefact import card
from services.training.between import Worth
from services.training.context import Run
from services.training.course import Outcome, learn
from services.training.examples import TextExample, read_texts
from services.training.networks import TextClassifier
from services.training.process.events import Phase
from services.training.recipe import Preset
from services.training.reporting import calibration, evaluation, evidence, study
from services.training.reporting.baselines import text_baselines
from services.training.stages import Outputs, Quick, Reached
from services.training.tasks import few_shot, texts
from services.training.tasks.texts import Data
from services.training.trained import Trained
from services.training.words import Words


def train(run: Run) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: fewer than two labels, a split without rows, or a label that the spec does not name.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    with run.journal.phase(Phase.loading):
        data = _load(run)
        network = TextClassifier(networks.pretrained(run.spec.base_model_path), len(run.labels))
        network.to(run.machine.device)
    few = run.recipe.preset is Preset.few_shot
    return learn(
        run,
        network,
        data,
        quick=_quick,
        finetune=few_shot.tune if few else _finetune,
        outputs=few_shot.outputs if few else texts.outputs,
        judge=_judge,
        worth=_worth,
    )


def _load(run: Run) -> Data[TextExample]:
    return texts.encode(
        run,
        texts.splits(run, read_texts),
        first=lambda row: row.text,
        targets=lambda rows: texts.numbers([row.label for row in rows], run.labels),
    )


def _quick(run: Run, network: TextClassifier, data: Data[TextExample]) -> Quick:
    ids = {split: read.ids for split, read in data.read.items()}
    words = Words(ids, data.targets, network.words, loss_of=cross_entropy)

    def look(features: dict[str, Tensor], head: fitting.Head) -> study.Study:
        # By then the network has what was chosen.
        counted = words.together if network.words.weight.any() else None
        return study.texts(data.rows, run.labels, features, data.targets, head, counted)

    return texts.quick(
        run,
        network,
        data,
        head="head",
        method=fitting.LOGISTIC,
        score=_score,
        metric="accuracy",
        rank=fitting.certainty,
        study=look,
        keywords=words,
    )


def _finetune(run: Run, network: TextClassifier, data: Data[TextExample]) -> Reached:
    # With them the training rows leave the base model too little to learn (docs/decisions/0008).
    network.words.forget()
    return texts.finetune(run, network, data, score=_score, metric="accuracy", answers=_answers)


def _worth(run: Run, network: TextClassifier, data: Data[TextExample]) -> Worth:
    return texts.worth(run, network, data, score=_score, metric="accuracy", rank=fitting.certainty)


def _answers(logits: Tensor, _: Tensor) -> Tensor:
    return logits.argmax(1)


def _score(logits: Tensor, targets: Tensor) -> dict[str, float]:
    return {"accuracy": int((logits.argmax(1) == targets).sum()) / len(targets)}


def _judge(run: Run, network: TextClassifier, data: Data[TextExample], outcome: Outcome) -> Trained:
    logits = {split: one.numpy() for split, one in outcome.outputs.items()}
    temperature = calibration.temperature(logits["validation"], data.targets["validation"].numpy())
    test, others = data.rows["test"], {}
    if outcome.quick:
        others["quick"] = _named(run, outcome.quick)
    return Trained(
        network=network,
        card=card(run, "mean-pooled-linear", temperature=temperature),
        scores=evaluation.score_texts(test, run.labels, evidence.probabilities(logits["test"], temperature)),
        baselines=text_baselines(data.rows["train"], test, _named(run, outcome.outputs), **others),
        rows=data.counts,
        truncated_rows=data.truncated,
        reached=outcome.reached,
        evidence=evidence.of_texts(data.rows, run.labels, logits, temperature),
    )


def _named(run: Run, outputs: Outputs) -> list[str]:
    """The answers to the test rows."""
    return [run.labels[answer] for answer in outputs["test"].argmax(1).tolist()]
