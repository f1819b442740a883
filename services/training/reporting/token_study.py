"""What frozen features of words tell at little cost: tags that may be wrong, and what more rows would bring.

As `study`, for entities: logistic regression on an inner layer of the base model before it has learned a tag.
Reading the words takes a third of a pass of training at most, and all heads together a tenth of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import linear
from transformers import PreTrainedModel

from services.training import batches, networks, tagging
from services.training.context import Run
from services.training.examples import TokenExample
from services.training.fitting import Head
from services.training.process.events import Phase
from services.training.process.wishes import heed_pause
from services.training.reporting import extrapolation, spans, study, suspects
from services.training.reporting.report import SuspectCount
from services.training.reporting.study import FOLDS, Study
from services.training.reporting.suspects import KEPT, Suspect
from services.training.tagging import OUTSIDE
from services.training.tokenizing import Piece

# The layer that is read, as a share of all: on 1,500 sentences of WNUT-17 heads two thirds up have 46 % of F1
# on 500 others, on the last layer 36 %, on the first 28 %.
_LAYER = 2 / 3
# Features of so many words are held at once: with 384 each about half a gigabyte.
_MOST_WORDS = 300_000

Probabilities = NDArray[np.float32]


def look(
    run: Run,
    encoder: PreTrainedModel,
    sentences: Mapping[str, Sequence[TokenExample]],
    pieces: Mapping[str, Sequence[Piece]],
    targets: Mapping[str, Sequence[Sequence[int]]],
    tags: Sequence[str],
) -> Study:
    """Study the training sentences, with the test sentences to measure by; by split, targets of pieces.

    Of very many words only a part is looked at. A run that is resumed takes what it found before.
    """
    kept = run.folder.checkpoints / "study.json"
    if kept.exists():
        return study.restore(kept)
    used = _used(sentences["train"])
    read = {
        "train": [piece for piece in pieces["train"] if piece.sentence in used],
        "test": list(pieces["test"]),
    }
    with run.journal.phase(Phase.embedding):
        features = _features(run, encoder, read)
    with run.journal.phase(Phase.fitting):
        numbers = [
            part
            for piece, part in zip(pieces["train"], targets["train"], strict=True)
            if piece.sentence in used
        ]
        found = _study(
            sentences, tags, used, read, features, torch.tensor([one for part in numbers for one in part])
        )
    kept.parent.mkdir(parents=True, exist_ok=True)
    found.save(kept)
    return found


def _used(sentences: Sequence[TokenExample]) -> dict[int, int]:
    """The sentences that are looked at, in the order of the learning curve, each with its place in it."""
    found: dict[int, int] = {}
    words = 0
    for number in study.shuffled(len(sentences)).tolist():
        words += len(sentences[number].tokens)
        if words > _MOST_WORDS:
            break
        found[number] = len(found)
    return found


def _features(run: Run, encoder: PreTrainedModel, read: Mapping[str, Sequence[Piece]]) -> dict[str, Tensor]:
    """By split (words, features), each feature of mean zero and variance one over the training words."""
    encoder.train(False)
    padding, pace, before = networks.padding_id(encoder), run.journal.pace(sum(map(len, read.values()))), 0
    found = {}
    for split, some in read.items():

        def tell(done: int, before: int = before) -> None:
            pace(before + done)
            heed_pause(run.folder)

        def layer(input_ids: Tensor, attention_mask: Tensor) -> Tensor:
            hidden = encoder(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
            # The first is what the words are before any layer.
            inner: Tensor = hidden.hidden_states[round(_LAYER * (len(hidden.hidden_states) - 1))]
            return inner

        outputs = batches.compute(layer, [piece.ids for piece in some], padding, run.machine, tell)
        found[split] = torch.cat([output[piece.firsts] for piece, output in zip(some, outputs, strict=True)])
        before += len(some)
    mean, deviation = found["train"].mean(0), found["train"].std(0) + 1e-6
    return {split: (part - mean) / deviation for split, part in found.items()}


def _study(
    sentences: Mapping[str, Sequence[TokenExample]],
    tags: Sequence[str],
    used: Mapping[int, int],
    read: Mapping[str, Sequence[Piece]],
    features: Mapping[str, Tensor],
    targets: Tensor,
) -> Study:
    """features: (words, features) and targets: (words) of the pieces that were read."""
    place = torch.tensor([used[piece.sentence] for piece in read["train"] for _ in piece.words])
    learned, test = features["train"], sentences["test"]
    words = [len(sentence.tokens) for sentence in test]
    truth = [set(spans.spans(sentence.tags)) for sentence in test]

    def fit(chosen: Tensor) -> Head:
        return study.logistic(learned[chosen], targets[chosen], len(tags))

    def lost(size: int) -> list[tuple[int, int]]:
        """Of each test sentence: entities too many and too few, beside those found and true."""
        head = fit(place < size)
        tagged = tagging.decide(tags, words, read["test"], linear(features["test"], head.weight, head.bias))
        found = [set(spans.spans(one)) for one, _ in tagged]
        return [(len(a ^ b), len(a) + len(b)) for a, b in zip(truth, found, strict=True)]

    # Each fold has whole sentences.
    fold = study.folds(torch.zeros(len(used)), FOLDS)[place]
    outputs = torch.empty(len(learned), len(tags))
    for held_out in range(FOLDS):
        head = fit(fold != held_out)
        outputs[fold == held_out] = linear(learned[fold == held_out], head.weight, head.bias)
    train = [sentences["train"][number] for number in used]
    moved = [replace(piece, sentence=used[piece.sentence]) for piece in read["train"]]
    likely = by_word(tags, [len(one.tokens) for one in train], moved, outputs)
    doubts, doubted = doubted_words({"train": train}, tags, {"train": likely})
    curve = None
    if sizes := study.sizes(len(used)):
        measured = np.array([lost(size) for size in sizes], np.float64)
        curve = extrapolation.learning_curve(sizes, measured[..., 0], measured[..., 1])
    return Study(SuspectCount(checked=len(used), doubted=doubted, splits=["train"]), doubts, curve)


def by_word(
    tags: Sequence[str], words: Sequence[int], pieces: Sequence[Piece], logits: Tensor
) -> list[Probabilities]:
    """Of each sentence (words, tags), probabilities; a word in no piece is outside for sure.

    words: how many each sentence has; logits: (words, tags) of the words of all pieces, in their order.
    """
    sentences = [np.zeros((count, len(tags)), np.float32) for count in words]
    for sentence in sentences:
        sentence[:, tags.index(OUTSIDE)] = 1.0
    of_pieces = torch.split(logits.softmax(-1), [len(piece.words) for piece in pieces])
    for piece, output in zip(pieces, of_pieces, strict=True):
        sentences[piece.sentence][piece.words] = output.numpy()
    return sentences


def doubted_words(
    sentences: Mapping[str, Sequence[TokenExample]],
    tags: Sequence[str],
    words: Mapping[str, Sequence[Probabilities]],
) -> tuple[list[Suspect], int]:
    """Words whose tag is probably wrong, and how many there were.

    words: of each sentence (words, tags), probabilities by a model that has not learned from it.
    """
    place = {tag: number for number, tag in enumerate(tags)}
    where = [
        (split, sentence, word)
        for split in words
        for sentence in sentences[split]
        for word in range(len(sentence.tokens))
    ]
    outputs = np.concatenate([one for split in words for one in words[split]])
    numbers = np.array([place[sentence.tags[word]] for _, sentence, word in where])
    found = suspects.doubted(numbers, outputs)
    doubts = []
    for number in found[:KEPT]:
        split, sentence, word = where[number]
        best = int(outputs[number].argmax())
        doubts.append(
            Suspect(
                split=split,
                row=sentence.row,
                text=" ".join(sentence.tokens),
                tokens=list(sentence.tokens),
                word=word,
                label=sentence.tags[word],
                suggested=tags[best],
                own=float(outputs[number, numbers[number]]),
                other=float(outputs[number, best]),
                given=list(sentence.tags),
            )
        )
    return doubts, len(found)
