"""Token classification: entities in sentences, as IOB2 tags on words.

Quick reads each word once with the lower layers of the frozen base model and fits a linear head on that and
on how the word is written. Best goes on from there and trains all weights but the embedding table until the
validation score stops rising; Custom does so as it is told.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from services.training import batches, fitting, networks, tagging
from services.training.artefact import card
from services.training.context import Run
from services.training.course import CHECKED, Outcome, learn
from services.training.examples import SPLITS, TokenExample, read_sentences
from services.training.failures import DataDoesNotFit
from services.training.fitting import Head
from services.training.networks import IGNORED, WordClassifier
from services.training.process.events import Phase
from services.training.process.wishes import heed_pause
from services.training.recipe import DEPTH_FOR_WORDS, Preset, enough
from services.training.reporting import by_class, calibration, evaluation, evidence, spans, study, token_study
from services.training.reporting.baselines import token_baselines
from services.training.reporting.report import RowCounts
from services.training.shapes import NO_WORD
from services.training.stages import Outputs, Quick, Reached
from services.training.tagging import Probabilities, Tagged, tag_names
from services.training.tokenizing import Piece, encode_words, load_tokenizer
from services.training.trained import Trained

# How much a shape counts beside a feature of variance one.
_SHAPES = 3.0
# Quick learns from so many words of all: with 640 features each, some four hundred megabytes.
_MOST_WORDS = 150_000


@dataclass(frozen=True)
class _Data:
    """By the names of the splits: the sentences, the pieces the model reads, and their words' tag numbers."""

    sentences: dict[str, list[TokenExample]]
    pieces: dict[str, list[Piece]]
    targets: dict[str, list[list[int]]]
    # In the order of the head's outputs.
    tags: list[str]
    # What tags of the training sentences tell of the next one.
    following: list[list[float]]

    def likely(self, split: str, logits: Tensor) -> list[Probabilities]:
        """Of each sentence its words' probabilities; logits: (words, tags) of all pieces."""
        words = [len(sentence.tokens) for sentence in self.sentences[split]]
        return tagging.by_word(self.tags, words, self.pieces[split], logits)

    def decide(self, split: str, logits: Tensor, temperature: float = 1.0) -> list[Tagged]:
        """Each word's tag; logits as for `likely`."""
        likely = self.likely(split, logits / temperature)
        return tagging.decide(self.tags, likely, self.following, temperature)

    def score(self, logits: Tensor) -> dict[str, float]:
        """The span F1 of the validation sentences, in all and by type; logits as for `likely`."""
        truth = [sentence.tags for sentence in self.sentences["validation"]]
        predicted = [tags for tags, _ in self.decide("validation", logits)]
        correct, found, wanted = spans.count(truth, predicted)
        f1 = spans.score(correct.total(), found.total(), wanted.total()).f1
        return {"f1": f1} | by_class.of_counts(correct, found, wanted)


def train(run: Run) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: no entity type, a split without sentences, or a tag that the spec does not name.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    with run.journal.phase(Phase.loading):
        data = _load(run)
        encoder = networks.pretrained(run.spec.base_model_path, depth=DEPTH_FOR_WORDS)
        network = WordClassifier(encoder, len(data.tags)).to(run.machine.device)
    return learn(run, network, data, quick=_quick, finetune=_finetune, outputs=_outputs, judge=_judge)


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
    following = tagging.following(tags, [sentence.tags for sentence in sentences["train"]])
    return _Data(sentences, pieces, targets, tags, following)


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


def _quick(run: Run, network: WordClassifier, data: _Data) -> Quick:
    """Fit the head on the frozen base, its strength chosen by the validation sentences."""
    used = _used(data.sentences["train"])
    if left := len(data.sentences["train"]) - len(used):
        run.journal.note(
            f"Quick learns from {len(used)} training sentences; {left} more are too many for it."
        )
    chosen = [place for place, piece in enumerate(data.pieces["train"]) if piece.sentence in used]
    pieces = {**data.pieces, "train": [data.pieces["train"][place] for place in chosen]}
    targets = {
        "train": _flat([data.targets["train"][place] for place in chosen]),
        "validation": _flat(data.targets["validation"]),
    }
    with run.journal.phase(Phase.embedding):
        features = _features(run, network, pieces)
    with run.journal.phase(Phase.fitting):
        mean, deviation = features["train"].mean(0), features["train"].std(0) + 1e-6
        # Shapes are as rare as they are.
        mean[network.head.in_features :], deviation[network.head.in_features :] = 0.0, 1 / _SHAPES
        for part in features.values():
            part.sub_(mean).div_(deviation)
        learned, held_out = features["train"], features["validation"]

        def scored(head: Head) -> tuple[float, dict[str, float]]:
            outputs = linear(held_out, head.weight, head.bias)
            return fitting.certainty(outputs, targets["validation"]), data.score(outputs)

        blank = fitting.blank(nn.Linear(learned.shape[1], len(data.tags)))
        best, metrics = fitting.choose(fitting.WORDS, learned, targets["train"], blank, scored, run.journal)
        network.load_state_dict(_weights(network, best, mean, deviation), strict=False)
        looked = token_study.look(
            data.sentences, data.tags, data.following, used, pieces, features, targets["train"]
        )
        every = torch.cat([learned, held_out]), torch.cat([targets["train"], targets["validation"]])
        (refitted,) = fitting.WORDS.solve(*every, (best.strength,), best)
    return Quick(
        Reached(metrics["f1"], tokens=sum(len(piece.ids) for piece in pieces["train"]), refitted=True),
        outputs={
            "validation": linear(held_out, best.weight, best.bias),
            "test": linear(features["test"], refitted.weight, refitted.bias),
        },
        refitted=_weights(network, refitted, mean, deviation),
        study=looked,
    )


def _used(sentences: list[TokenExample]) -> dict[int, int]:
    """The sentences that Quick learns from, in an order of chance, each with its place in it."""
    found: dict[int, int] = {}
    words = 0
    for number in study.shuffled(len(sentences)).tolist():
        words += len(sentences[number].tokens)
        if words > _MOST_WORDS:
            break
        found[number] = len(found)
    return found


def _flat(targets: list[list[int]]) -> Tensor:
    return torch.tensor([number for numbers in targets for number in numbers])


def _features(run: Run, network: WordClassifier, pieces: dict[str, list[Piece]]) -> dict[str, Tensor]:
    """By split (words, hidden + buckets): means of the words' sub-words, and counts of their shapes."""
    network.eval()
    padding, before = networks.padding_id(network.encoder), 0
    pace = run.journal.pace(sum(map(len, pieces.values())))
    found = {}
    for split, some in pieces.items():

        def tell(done: int, before: int = before) -> None:
            pace(before + done)
            heed_pause(run.folder)

        outputs = batches.compute(network.embed, [piece.ids for piece in some], padding, run.machine, tell)
        read = torch.cat([tagging.means(*one) for one in zip(some, outputs, strict=True)])
        found[split] = torch.cat([read, tagging.shapes(some)], dim=1)
        before += len(some)
    return found


def _weights(network: WordClassifier, head: Head, mean: Tensor, deviation: Tensor) -> dict[str, Tensor]:
    """The network's weights of a head that was fitted on features less their mean, by their deviation."""
    weight, hidden = head.weight / deviation, network.head.in_features
    return {
        "head.weight": weight[:, :hidden].clone(),
        "head.bias": head.bias - weight @ mean,
        "shapes.weight": torch.cat([torch.zeros(1, len(weight)), weight[:, hidden:].T]),
    }


def _finetune(run: Run, network: WordClassifier, data: _Data) -> Reached:
    """Train all weights but the embedding table, scored by validation span F1."""
    # Imported here: Quick should not have to wait for Trainer, with which peft comes.
    from services.training.finetune import Row, Stage, finetune

    networks.freeze_embedding_table(network.encoder)
    padding = networks.padding_id(network.encoder)
    rows: list[Row] = [
        {
            "input_ids": piece.ids,
            "shapes": piece.spread(piece.shapes, NO_WORD),
            "labels": piece.spread(numbers, IGNORED),
        }
        for piece, numbers in zip(data.pieces["train"], data.targets["train"], strict=True)
    ]

    def collate(batch: list[Row]) -> dict[str, Tensor]:
        inputs = batches.inputs(
            [row["input_ids"] for row in batch], padding, shapes=[row["shapes"] for row in batch]
        )
        return {**inputs, "labels": batches.pad([row["labels"] for row in batch], IGNORED)}

    def score() -> dict[str, float]:
        return data.score(tagging.logits(network, data.pieces["validation"], run.machine))

    custom = run.recipe.preset is Preset.custom
    settings = run.settings if custom else enough(run.settings, len(rows))
    return finetune(run, network, rows, collate, score, metric="f1", stage=Stage("full", settings))


def _outputs(run: Run, network: WordClassifier, data: _Data) -> Outputs:
    """(words, tags) of the checked splits' pieces."""
    return {
        split: tagging.logits(
            network, data.pieces[split], run.machine, run.journal.pace(len(data.pieces[split]))
        )
        for split in CHECKED
    }


def _judge(run: Run, network: WordClassifier, data: _Data, outcome: Outcome) -> Trained:
    logits = outcome.outputs
    truth = torch.tensor([number for numbers in data.targets["validation"] for number in numbers])
    temperature = calibration.temperature(logits["validation"].numpy(), truth.numpy())
    tagged = {split: data.decide(split, logits[split], temperature) for split in CHECKED}
    learned, test, others = data.sentences["train"], data.sentences["test"], {}
    if outcome.quick:
        others["quick"] = [tags for tags, _ in data.decide("test", outcome.quick["test"])]
    return Trained(
        network=network,
        card=card(run, "word-linear", outputs=data.tags, temperature=temperature, following=data.following),
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
            {split: data.likely(split, logits[split] / temperature) for split in CHECKED},
        ),
    )
