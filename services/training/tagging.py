"""Tags for words from a token classifier, alike in training and in prediction."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.training import batches, networks
from services.training.machine import Machine
from services.training.networks import TokenClassifier, WordClassifier
from services.training.shapes import BUCKETS, NO_WORD
from services.training.tokenizing import Piece

OUTSIDE = "O"
# How much of what tags tell of the next one counts beside what the words tell: of all of it would count twice
# what the network has seen in its neighbours. On WNUT-17 0.3 to 0.5 were as good as one another.
_FOLLOWING = 0.4
# Words that a tag is taken to have been followed by beside those counted, in the shares of all words.
_SMOOTHING = 1.0
# What never follows, in a form that JSON has.
_NEVER = -1e4

# Of one sentence: each word's tag, and the tag's probability.
Tagged = tuple[list[str], list[float]]
# Of one sentence (words, tags).
Probabilities = NDArray[np.float32]
# (1 + tags, tags): what the log-probability of a tag (column) gains after another one (row); the first row is
# of the first word.
Following = Sequence[Sequence[float]]


def tag_names(types: Sequence[str]) -> list[str]:
    """The IOB2 tags of entity types, in the order of the head's outputs."""
    return [OUTSIDE, *(f"{prefix}-{type_}" for type_ in types for prefix in ("B", "I"))]


def following(names: Sequence[str], sentences: Sequence[Sequence[str]]) -> list[list[float]]:
    """What each tag tells of the next one, as sentences have them; an I- follows its own type alone.

    A share of the pointwise mutual information. names: as `tag_names` gives them; sentences: their tags.
    """
    places = {name: place for place, name in enumerate(names)}
    counts = np.zeros((1 + len(names), len(names)))
    for tags in sentences:
        for before, after in pairwise([-1, *(places[tag] for tag in tags)]):
            counts[1 + before][after] += 1
    shares = (counts.sum(0) + _SMOOTHING) / (counts.sum() + _SMOOTHING * len(names))
    often = counts.sum(1, keepdims=True) + _SMOOTHING
    told = _FOLLOWING * np.log((counts + _SMOOTHING * shares) / (often * shares))
    for place, name in enumerate(names):
        if name.startswith("I-"):
            allowed = [1 + places[name], 1 + places[f"B-{name[2:]}"]]
            told[[row for row in range(len(told)) if row not in allowed], place] = _NEVER
    return [[round(float(one), 4) for one in row] for row in told]


def logits(
    network: WordClassifier | TokenClassifier,
    pieces: Sequence[Piece],
    machine: Machine,
    tell: Callable[[int], None] | None = None,
) -> Tensor:
    """(words, tags) of the words of all pieces, in their order; `tell` hears how many pieces are done."""
    network.eval()
    padding, ids = networks.padding_id(network.encoder), [piece.ids for piece in pieces]
    if isinstance(network, WordClassifier):
        written = [piece.spread(piece.shapes, NO_WORD) for piece in pieces]
        outputs = batches.compute(network.logits, ids, padding, machine, tell, shapes=written)
        words = [means(piece, output) for piece, output in zip(pieces, outputs, strict=True)]
    else:
        outputs = batches.compute(network.logits, ids, padding, machine, tell)
        words = [output[piece.firsts] for piece, output in zip(pieces, outputs, strict=True)]
    return torch.cat([torch.empty(0, network.head.out_features), *words])


def means(piece: Piece, values: Tensor) -> Tensor:
    """(words, …), the mean over each word's sub-words; values: (tokens, …)."""
    # With a column of zeros before them, sums of stretches are differences.
    sums = torch.cat([values.new_zeros(1, values.shape[1]), values.cumsum(0)])
    firsts, ends = torch.tensor(piece.firsts), torch.tensor(piece.ends)
    return (sums[ends] - sums[firsts]) / (ends - firsts).unsqueeze(1)


def shapes(pieces: Sequence[Piece]) -> Tensor:
    """(words, buckets), how often each bucket counts for each word of the pieces."""
    places = torch.tensor([word for piece in pieces for word in piece.shapes])
    return torch.zeros(len(places), BUCKETS + 1).scatter_add_(1, places, torch.ones(places.shape))[:, 1:]


def by_word(
    names: Sequence[str], words: Sequence[int], pieces: Sequence[Piece], logits: Tensor
) -> list[Probabilities]:
    """Of each sentence its words' probabilities of tags; a word in no piece is outside for sure.

    names: the tags in the order of the head's outputs; words: how many each sentence has; pieces: what the
    tokenizer made of the sentences; logits: as the function of that name gives them.
    """
    sentences = [np.zeros((count, len(names)), np.float32) for count in words]
    for sentence in sentences:
        sentence[:, names.index(OUTSIDE)] = 1.0
    of_pieces = torch.split(logits.softmax(-1), [len(piece.words) for piece in pieces])
    for piece, output in zip(pieces, of_pieces, strict=True):
        sentences[piece.sentence][piece.words] = output.numpy()
    return sentences


def decide(
    names: Sequence[str],
    sentences: Sequence[Probabilities],
    following: Following,
    temperature: float = 1.0,
) -> list[Tagged]:
    """The likeliest tags of each sentence, and each one's own probability.

    Without anything following, each word's most probable tag. temperature: by which logits were divided; it
    changes probabilities, and no tag.
    """
    after = np.array(following)
    tagged = []
    for likely in sentences:
        places = (
            _path(temperature * np.log(np.maximum(likely, 1e-30)), after) if following else likely.argmax(1)
        )
        certain = likely[np.arange(len(likely)), places]
        tagged.append(([names[place] for place in places], certain.tolist()))
    return tagged


def _path(told: NDArray[np.floating], after: NDArray[np.floating]) -> NDArray[np.intp]:
    """The tags with the highest sum, by Viterbi; told: (words, tags), log-probabilities."""
    best = np.zeros(len(told), np.intp)
    if not len(told):
        return best
    sums, ways = told[0] + after[0], []
    for one in told[1:]:
        over = sums[:, None] + after[1:]
        ways.append(over.argmax(0))
        sums = over.max(0) + one
    best[-1] = sums.argmax()
    for place in range(len(ways) - 1, -1, -1):
        best[place] = ways[place][best[place + 1]]
    return best
