"""Tags for words from a token classifier, alike in training and in prediction."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from services.training import batches, networks
from services.training.machine import Machine
from services.training.networks import TokenClassifier
from services.training.tokenizing import Piece

OUTSIDE = "O"

# Of one sentence: each word's tag, and the tag's probability.
Tagged = tuple[list[str], list[float]]


def tag_names(types: Sequence[str]) -> list[str]:
    """The IOB2 tags of entity types, in the order of the head's outputs."""
    return [OUTSIDE, *(f"{prefix}-{type_}" for type_ in types for prefix in ("B", "I"))]


def tag(
    network: TokenClassifier,
    names: Sequence[str],
    words: Sequence[int],
    pieces: Sequence[Piece],
    machine: Machine,
    tell: Callable[[int], None] | None = None,
) -> list[Tagged]:
    """Each word's most probable tag; a word in no piece is outside.

    names: the tags in the order of the head's outputs; words: how many each sentence has; pieces: what the
    tokenizer made of the sentences; tell: hears how many pieces are done.
    """
    return decide(names, words, pieces, logits(network, pieces, machine, tell) / network.temperature)


def logits(
    network: TokenClassifier,
    pieces: Sequence[Piece],
    machine: Machine,
    tell: Callable[[int], None] | None = None,
) -> Tensor:
    """(words, tags) of the words of all pieces, in their order."""
    network.eval()
    padding = networks.padding_id(network.encoder)
    outputs = batches.compute(network.logits, [piece.ids for piece in pieces], padding, machine, tell)
    words = [output[piece.firsts] for piece, output in zip(pieces, outputs, strict=True)]
    return torch.cat([torch.empty(0, network.head.out_features), *words])


def decide(
    names: Sequence[str], words: Sequence[int], pieces: Sequence[Piece], logits: Tensor
) -> list[Tagged]:
    """Each word's most probable tag, and its probability; logits: as the function of that name gives them."""
    tagged: list[Tagged] = [([OUTSIDE] * count, [1.0] * count) for count in words]
    of_pieces = torch.split(logits.softmax(-1), [len(piece.words) for piece in pieces])
    for piece, output in zip(pieces, of_pieces, strict=True):
        best, numbers = output.max(-1)
        tags, scores = tagged[piece.sentence]
        for word, number, score in zip(piece.words, numbers.tolist(), best.tolist(), strict=True):
            tags[word], scores[word] = names[number], score
    return tagged
