"""Token classification: entities in sentences, as IOB2 tags on words.

Quick trains all weights but the embedding table for one epoch, or more of them where sentences are few. Best
goes on from there until the validation score stops rising; Custom trains as it is told, from the base model.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from services.training import batches, networks, tagging
from services.training.artefact import card
from services.training.context import Run
from services.training.course import CHECKED, Outcome, learn
from services.training.examples import SPLITS, TokenExample, read_sentences
from services.training.failures import DataDoesNotFit
from services.training.finetune import Row, Stage, finetune, steps
from services.training.networks import IGNORED, TokenClassifier
from services.training.process.events import Phase
from services.training.recipe import Preset, defaults, enough
from services.training.reporting import by_class, calibration, evaluation, evidence, spans, token_study
from services.training.reporting.baselines import token_baselines
from services.training.reporting.report import RowCounts
from services.training.stages import Outputs, Quick, Reached
from services.training.tagging import Tagged, tag_names
from services.training.tokenizing import Piece, encode_words, load_tokenizer
from services.training.trained import Trained


@dataclass(frozen=True)
class _Data:
    """By the names of the splits: the sentences, the pieces the model reads, and their words' tag numbers."""

    sentences: dict[str, list[TokenExample]]
    pieces: dict[str, list[Piece]]
    targets: dict[str, list[list[int]]]
    # In the order of the head's outputs.
    tags: list[str]

    def words(self, split: str) -> list[int]:
        """Words per sentence."""
        return [len(sentence.tokens) for sentence in self.sentences[split]]

    def decide(self, split: str, logits: Tensor) -> list[Tagged]:
        """Each word's tag; logits: (words, tags) of all pieces."""
        return tagging.decide(self.tags, self.words(split), self.pieces[split], logits)


def train(run: Run) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: no entity type, a split without sentences, or a tag that the spec does not name.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    with run.journal.phase(Phase.loading):
        data = _load(run)
        network = TokenClassifier(networks.pretrained(run.spec.base_model_path), len(data.tags))
        network.to(run.machine.device)
    quick = None if run.recipe.preset is Preset.custom else _quick
    return learn(run, network, data, quick=quick, finetune=_finetune, outputs=_outputs, judge=_judge)


def _load(run: Run) -> _Data:
    sentences = {split: read_sentences(run.folder.split(split)) for split in SPLITS}
    if not run.labels:
        raise DataDoesNotFit("No word carries an entity tag, so there is nothing to learn.")
    tokenizer = load_tokenizer(run.spec.base_model_path)
    length = run.settings.max_length
    pieces = {
        split: encode_words(tokenizer, [sentence.tokens for sentence in rows], length)
        for split, rows in sentences.items()
    }
    for split in SPLITS:
        if not pieces[split]:
            raise DataDoesNotFit(
                f"The {split} split has no words. Upload more sentences, or split them otherwise."
            )
    if long := sum(map(_in_pieces, pieces.values())):
        run.journal.note(f"{long} sentences have more than {length} tokens; they are read in pieces.")
    tags = tag_names(run.labels)
    targets = {split: _targets(sentences[split], pieces[split], tags) for split in SPLITS}
    return _Data(sentences, pieces, targets, tags)


def _targets(sentences: list[TokenExample], pieces: list[Piece], tags: list[str]) -> list[list[int]]:
    """Per piece, the number of each word's tag."""
    numbers = {tag: number for number, tag in enumerate(tags)}
    try:
        return [[numbers[sentences[piece.sentence].tags[word]] for word in piece.words] for piece in pieces]
    except KeyError as unknown:
        raise DataDoesNotFit(
            f"The tag {unknown} is in the rows but is none of the entity types to learn."
        ) from None


def _in_pieces(pieces: list[Piece]) -> int:
    """Sentences that are too long to be read at once."""
    return len({after.sentence for before, after in pairwise(pieces) if before.sentence == after.sentence})


def _quick(run: Run, network: TokenClassifier, data: _Data) -> Quick:
    looked = token_study.look(run, network.encoder, data.sentences, data.pieces, data.targets, data.tags)
    stage, _ = _stages(run, data)
    reached = _learn(run, network, data, stage)
    taken = steps(stage.settings, len(data.pieces["train"]))
    return Quick(reached, study=looked, steps=taken)


def _finetune(run: Run, network: TokenClassifier, data: _Data) -> Reached:
    return _learn(run, network, data, _stages(run, data)[1])


def _stages(run: Run, data: _Data) -> tuple[Stage, Stage]:
    """Quick's on these rows, and the one after it, which is Best's; or Custom's, which has none before it."""
    rows = len(data.pieces["train"])
    brief = enough(defaults(Preset.quick, run.recipe.task), rows)
    settings = enough(run.settings, rows)
    match run.recipe.preset:
        case Preset.quick:
            return Stage("quick", settings), Stage("full", settings)
        case Preset.custom:
            return Stage("quick", brief), Stage("full", run.settings)
    return (
        Stage("quick", brief, steps_after=steps(settings, rows)),
        Stage("full", settings, steps_before=steps(brief, rows)),
    )


def _learn(run: Run, network: TokenClassifier, data: _Data, stage: Stage) -> Reached:
    """Train all weights but the embedding table, scored by validation span F1."""
    networks.freeze_embedding_table(network.encoder)
    padding = networks.padding_id(network.encoder)
    rows = [
        {"input_ids": piece.ids, "labels": _labels(piece, numbers)}
        for piece, numbers in zip(data.pieces["train"], data.targets["train"], strict=True)
    ]

    def collate(batch: list[Row]) -> dict[str, Tensor]:
        inputs = batches.inputs([row["input_ids"] for row in batch], padding)
        return {**inputs, "labels": batches.pad([row["labels"] for row in batch], IGNORED)}

    def score() -> dict[str, float]:
        logits = tagging.logits(network, data.pieces["validation"], run.machine)
        truth = [sentence.tags for sentence in data.sentences["validation"]]
        correct, found, wanted = spans.count(truth, [tags for tags, _ in data.decide("validation", logits)])
        f1 = spans.score(correct.total(), found.total(), wanted.total()).f1
        return {"f1": f1} | by_class.of_counts(correct, found, wanted)

    return finetune(run, network, rows, collate, score, metric="f1", stage=stage)


def _labels(piece: Piece, numbers: list[int]) -> list[int]:
    """Per sub-word: its word's tag where it begins the word, nothing elsewhere."""
    labels = [IGNORED] * len(piece.ids)
    for position, number in zip(piece.firsts, numbers, strict=True):
        labels[position] = number
    return labels


def _outputs(run: Run, network: TokenClassifier, data: _Data) -> Outputs:
    """(words, tags) of the checked splits' pieces."""
    return {
        split: tagging.logits(
            network, data.pieces[split], run.machine, run.journal.pace(len(data.pieces[split]))
        )
        for split in CHECKED
    }


def _judge(run: Run, network: TokenClassifier, data: _Data, outcome: Outcome) -> Trained:
    logits = outcome.outputs
    truth = torch.tensor([number for numbers in data.targets["validation"] for number in numbers])
    temperature = calibration.temperature(logits["validation"].numpy(), truth.numpy())
    tagged = {split: data.decide(split, logits[split] / temperature) for split in CHECKED}
    learned, test, others = data.sentences["train"], data.sentences["test"], {}
    if outcome.quick:
        others["quick"] = [tags for tags, _ in data.decide("test", outcome.quick["test"])]
    return Trained(
        network=network,
        card=card(run, "token-linear", outputs=data.tags, temperature=temperature),
        scores=evaluation.score_sentences(test, run.labels, tagged["test"]),
        baselines=token_baselines(learned, test, [tags for tags, _ in tagged["test"]], **others),
        rows=RowCounts(**{split: len(rows) for split, rows in data.sentences.items()}),
        truncated_rows=0,
        reached=outcome.reached,
        evidence=evidence.of_sentences(
            data.sentences,
            data.tags,
            tagged,
            data.decide("test", logits["test"]),
            temperature,
            {
                split: token_study.by_word(
                    data.tags, data.words(split), data.pieces[split], logits[split] / temperature
                )
                for split in CHECKED
            },
        ),
    )
