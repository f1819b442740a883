"""What frozen features of words tell at little cost: tags that may be wrong, and what more rows would bring.

As `study`, for entities: logistic regression on what Quick learns from, all heads together in some seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear

from services.training import tagging
from services.training.examples import TokenExample
from services.training.fitting import Head
from services.training.reporting import extrapolation, spans, study, suspects
from services.training.reporting.report import SuspectCount
from services.training.reporting.study import FOLDS, Study
from services.training.reporting.suspects import KEPT, Suspect
from services.training.tagging import Following, Probabilities
from services.training.tokenizing import Piece


def look(
    sentences: Mapping[str, Sequence[TokenExample]],
    tags: Sequence[str],
    following: Following,
    used: Mapping[int, int],
    read: Mapping[str, Sequence[Piece]],
    features: Mapping[str, Tensor],
    targets: Tensor,
) -> Study:
    """Study the training sentences, with the test sentences to measure by.

    used: the training sentences that were read, in an order of chance, each with its place in it; by split
    the pieces that were read, and features (words, features) of their words; targets: (training words).
    """
    place = torch.tensor([used[piece.sentence] for piece in read["train"] for _ in piece.words])
    learned, test = features["train"], sentences["test"]
    words = [len(sentence.tokens) for sentence in test]
    truth = [set(spans.spans(sentence.tags)) for sentence in test]

    def fit(chosen: Tensor) -> Head:
        return study.logistic(learned[chosen], targets[chosen], len(tags))

    def lost(size: int) -> list[tuple[int, int]]:
        """Of each test sentence: entities too many and too few, beside those found and true."""
        head = fit(place < size)
        outputs = linear(features["test"], head.weight, head.bias)
        tagged = tagging.decide(tags, tagging.by_word(tags, words, read["test"], outputs), following)
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
    likely = tagging.by_word(tags, [len(one.tokens) for one in train], moved, outputs)
    doubts, doubted = doubted_words({"train": train}, tags, {"train": likely})
    curve = None
    if sizes := study.sizes(len(used)):
        measured = np.array([lost(size) for size in sizes], np.float64)
        curve = extrapolation.learning_curve(sizes, measured[..., 0], measured[..., 1])
    return Study(SuspectCount(checked=len(used), doubted=doubted, splits=["train"]), doubts, curve)


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
