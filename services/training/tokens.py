"""Token classification: entities in sentences, as IOB2 tags on words.

Quick trains all weights but the embedding table for one epoch, or more of them where sentences are few. Best
goes on from there until the validation score stops rising; Custom trains as it is told.
"""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.training import batches, calibration, evaluation, evidence, networks, spans, stages
from services.training.artefact import Card
from services.training.baselines import token_baselines
from services.training.events import Phase
from services.training.examples import SPLITS, TokenExample, read_sentences
from services.training.failures import DataDoesNotFit
from services.training.finetune import Row, Stage, finetune, steps
from services.training.folder import RunFolder
from services.training.journal import Journal
from services.training.machine import Machine
from services.training.networks import IGNORED, TokenClassifier
from services.training.recipe import Preset, Recipe, RunSpec, Task, defaults, enough
from services.training.report import RowCounts
from services.training.stages import Reached
from services.training.tagging import OUTSIDE, Tagged, decide, tag, tag_names
from services.training.tokenizing import Piece, encode_words, load_tokenizer
from services.training.trained import Trained

# The splits whose every answer is kept.
_CHECKED = ("validation", "test")


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


def train(folder: RunFolder, spec: RunSpec, machine: Machine, journal: Journal) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: no entity type, a split without sentences, or a tag that the spec does not name.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    length = spec.recipe.hyperparameters.max_length
    with journal.phase(Phase.loading):
        data = _load(folder, spec)
        if long := _in_pieces(data):
            journal.note(f"{long} sentences have more than {length} tokens; they are read in pieces.")
        network = TokenClassifier(networks.pretrained(spec.base_model_path), len(data.tags)).to(
            machine.device
        )

    def learn(stage: Stage) -> Reached:
        return _finetune(network, data, stage, spec, folder, machine, journal)

    first, *then = _plan(spec.recipe, len(data.pieces["train"]))
    reached = stages.restore(network, folder.quick) if folder.has_quick() else learn(first)
    if then:
        reached = stages.go_on(
            network,
            reached,
            partial(learn, then[0]),
            quick_steps=then[0].steps_before,
            preset=spec.recipe.preset,
            folder=folder,
            journal=journal,
        )

    with journal.phase(Phase.evaluating):
        logits = {split: _logits(network, data, split, machine, journal) for split in _CHECKED}
        network.temperature = _temperature(logits["validation"], data)
        outputs = {
            split: [(one / network.temperature).softmax(-1) for one in logits[split]] for split in _CHECKED
        }
        tagged = {split: _decide(data, split, outputs[split]) for split in _CHECKED}
        scores = evaluation.score_sentences(data.sentences["test"], spec.labels, tagged["test"])
        answers = [tags for tags, _ in tagged["test"]]
        baselines = token_baselines(data.sentences["train"], data.sentences["test"], answers)
        found = evidence.of_sentences(
            data.sentences,
            data.tags,
            tagged,
            _decide(data, "test", [one.softmax(-1) for one in logits["test"]]),
            network.temperature,
            {split: _by_word(data, split, outputs[split]) for split in _CHECKED},
        )

    return Trained(
        network=network,
        card=Card(
            task=Task.token_classification,
            outputs=data.tags,
            labels=spec.labels,
            max_length=length,
            architecture="token-linear",
            base_model=spec.recipe.base_model,
            temperature=network.temperature,
        ),
        scores=scores,
        baselines=baselines,
        rows=RowCounts(**{split: len(rows) for split, rows in data.sentences.items()}),
        truncated_rows=0,
        reached=reached,
        evidence=found,
    )


def _logits(
    network: TokenClassifier, data: _Data, split: str, machine: Machine, journal: Journal
) -> list[Tensor]:
    """Of each piece (tokens, tags)."""
    network.eval()
    rows = [piece.ids for piece in data.pieces[split]]
    padding = networks.padding_id(network.encoder)
    return batches.compute(network.logits, rows, padding, machine, journal.pace(len(rows)))


def _temperature(logits: list[Tensor], data: _Data) -> float:
    pieces = data.pieces["validation"]
    words = torch.cat([output[piece.firsts] for piece, output in zip(pieces, logits, strict=True)])
    targets = [number for numbers in data.targets["validation"] for number in numbers]
    return calibration.temperature(words.numpy(), np.array(targets))


def _decide(data: _Data, split: str, outputs: list[Tensor]) -> list[Tagged]:
    return decide(data.tags, data.words(split), data.pieces[split], outputs)


def _by_word(data: _Data, split: str, outputs: list[Tensor]) -> list[NDArray[np.float32]]:
    """Of each sentence (words, tags), probabilities; a word in no piece is outside for sure."""
    sentences = [np.zeros((count, len(data.tags)), np.float32) for count in data.words(split)]
    for sentence in sentences:
        sentence[:, data.tags.index(OUTSIDE)] = 1.0
    for piece, output in zip(data.pieces[split], outputs, strict=True):
        sentences[piece.sentence][piece.words] = output[piece.firsts].numpy()
    return sentences


def _plan(recipe: Recipe, rows: int) -> list[Stage]:
    """The stages of training on so many rows: Quick's, then that of Best; or Custom's alone."""
    settings = recipe.hyperparameters
    if recipe.preset is Preset.custom:
        return [Stage("full", settings)]
    settings = enough(settings, rows)
    if recipe.preset is Preset.quick:
        return [Stage("quick", settings)]
    brief = enough(defaults(Preset.quick, recipe.task), rows)
    return [
        Stage("quick", brief, steps_after=steps(settings, rows)),
        Stage("full", settings, steps_before=steps(brief, rows)),
    ]


def _load(folder: RunFolder, spec: RunSpec) -> _Data:
    sentences = {split: read_sentences(folder.split(split)) for split in SPLITS}
    if not spec.labels:
        raise DataDoesNotFit("No word carries an entity tag, so there is nothing to learn.")
    tokenizer = load_tokenizer(spec.base_model_path)
    length = spec.recipe.hyperparameters.max_length
    pieces = {
        split: encode_words(tokenizer, [sentence.tokens for sentence in rows], length)
        for split, rows in sentences.items()
    }
    for split in SPLITS:
        if not pieces[split]:
            raise DataDoesNotFit(
                f"The {split} split has no words. Upload more sentences, or split them otherwise."
            )
    tags = tag_names(spec.labels)
    return _Data(
        sentences=sentences,
        pieces=pieces,
        targets={split: _targets(sentences[split], pieces[split], tags) for split in SPLITS},
        tags=tags,
    )


def _targets(sentences: list[TokenExample], pieces: list[Piece], tags: list[str]) -> list[list[int]]:
    """Per piece, the number of each word's tag."""
    numbers = {tag: number for number, tag in enumerate(tags)}
    try:
        return [[numbers[sentences[piece.sentence].tags[word]] for word in piece.words] for piece in pieces]
    except KeyError as unknown:
        raise DataDoesNotFit(
            f"The tag {unknown} is in the rows but is none of the entity types to learn."
        ) from None


def _in_pieces(data: _Data) -> int:
    """Sentences, of all splits, too long to be read at once."""
    return sum(
        len({after.sentence for before, after in pairwise(pieces) if before.sentence == after.sentence})
        for pieces in data.pieces.values()
    )


def _finetune(
    network: TokenClassifier,
    data: _Data,
    stage: Stage,
    spec: RunSpec,
    folder: RunFolder,
    machine: Machine,
    journal: Journal,
) -> Reached:
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
        pieces = data.pieces["validation"]
        return _f1(data, tag(network, data.tags, data.words("validation"), pieces, machine))

    with journal.phase(Phase.training):
        return finetune(
            network,
            rows,
            collate,
            score,
            metric="f1",
            stage=stage,
            seed=spec.recipe.seed,
            folder=folder,
            machine=machine,
            journal=journal,
        )


def _f1(data: _Data, tagged: list[Tagged]) -> dict[str, float]:
    truth = [sentence.tags for sentence in data.sentences["validation"]]
    return {"f1": spans.f1(truth, [tags for tags, _ in tagged])}


def _labels(piece: Piece, numbers: list[int]) -> list[int]:
    """Per sub-word: its word's tag where it begins the word, nothing elsewhere."""
    labels = [IGNORED] * len(piece.ids)
    for position, number in zip(piece.firsts, numbers, strict=True):
        labels[position] = number
    return labels
