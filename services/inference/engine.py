"""A trained version in memory, and its answers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from services.inference.batching import Batcher
from services.inference.errors import PairExpected, TextExpected
from services.inference.predictions import (
    Entity,
    EntityPrediction,
    Input,
    LabelPrediction,
    LabelsPrediction,
    Pair,
    Prediction,
    ScorePrediction,
)
from services.inference.words import words
from services.training import artefact, readings, tagging
from services.training.artefact import Card
from services.training.machine import Machine, here
from services.training.networks import Network, TokenClassifier, WordClassifier
from services.training.readings import Pairs, Texts
from services.training.recipe import Task
from services.training.reporting import abstention
from services.training.reporting.spans import spans
from services.training.tokenizing import encode_words, load_tokenizer


class Loaded:
    """A version, ready to predict; several threads may use it at once."""

    def __init__(self, network: Network, card: Card, tokenizer: Tokenizer, machine: Machine) -> None:
        self.task: Task = card.task
        self.labels: list[str] = card.labels
        self.pairs: bool = card.pairs
        # What it holds of the device's memory.
        self.bytes = sum(tensor.nbytes for tensor in network.state_dict().values())
        # The batcher does not refer to us, so that a version that is let go leaves the memory at once.
        self._batcher = Batcher(_Computation(network, card, tokenizer, machine).answer)

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        """One prediction per input, in their order; computed together with what other threads ask for.

        Raises:
            TextExpected, PairExpected: an input is not of the kind that the version reads.
        """
        for index, one in enumerate(inputs):
            if isinstance(one, Pair) is not self.pairs:
                raise PairExpected(index) if self.pairs else TextExpected(index)
        return self._batcher.predict(inputs)


class _Computation:
    def __init__(self, network: Network, card: Card, tokenizer: Tokenizer, machine: Machine) -> None:
        self._network = network
        self._card = card
        self._tokenizer = tokenizer
        self._machine = machine

    def answer(self, inputs: Sequence[Input]) -> list[Prediction]:
        network = self._network
        if isinstance(network, WordClassifier | TokenClassifier):
            return self._entities(network, _texts(inputs))
        outputs = readings.outputs(network, self._read(inputs), self._machine)
        if self._card.task is Task.regression:
            return [self._scored(row) for [row] in outputs.double().tolist()]
        tempered = outputs / self._card.temperature
        if self._card.task is Task.multi_label:
            return [self._several(row) for row in tempered.sigmoid().tolist()]
        return [self._labelled(row) for row in tempered.softmax(-1).tolist()]

    def _read(self, inputs: Sequence[Input]) -> Texts | Pairs:
        if not self._card.pairs:
            return readings.texts(self._tokenizer, _texts(inputs))
        both = [one for one in inputs if isinstance(one, Pair)]
        return readings.pairs(self._tokenizer, [one.first for one in both], [one.second for one in both])

    def _labelled(self, probabilities: list[float]) -> LabelPrediction:
        scores = dict(zip(self._card.labels, probabilities, strict=True))
        label = max(scores, key=scores.__getitem__)
        return LabelPrediction(label=label, score=scores[label], scores=scores)

    def _several(self, probabilities: list[float]) -> LabelsPrediction:
        scores = dict(zip(self._card.labels, probabilities, strict=True))
        thresholds = dict(zip(self._card.labels, self._card.thresholds, strict=True))
        given = [label for label in self._card.labels if scores[label] >= thresholds[label]]
        yes = np.array([[label in given for label in self._card.labels]])
        return LabelsPrediction(
            labels=sorted(given, key=lambda label: -scores[label]),
            confidence=float(abstention.certainty(np.array([probabilities]), yes)[0]),
            scores=scores,
            thresholds=thresholds,
        )

    def _scored(self, output: float) -> ScorePrediction:
        scale = self._card.scale
        assert scale is not None
        return ScorePrediction(score=output * scale.deviation + scale.mean, error=scale.error)

    def _entities(self, network: WordClassifier | TokenClassifier, texts: Sequence[str]) -> list[Prediction]:
        places = [words(text) for text in texts]
        sentences = [
            [text[start:end] for start, end in found] for text, found in zip(texts, places, strict=True)
        ]
        card = self._card
        pieces = encode_words(self._tokenizer, sentences, card.max_length)
        logits = tagging.logits(network, pieces, self._machine) / card.temperature
        likely = tagging.by_word(card.outputs, [len(found) for found in places], pieces, logits)
        tagged = tagging.decide(card.outputs, likely, card.following, card.temperature)
        return [
            EntityPrediction(entities=_entities(text, found, tags, scores))
            for text, found, (tags, scores) in zip(texts, places, tagged, strict=True)
        ]


def load(folder: Path) -> Loaded:
    """Load the artefact in a folder, onto the GPU where there is one."""
    machine = here()
    network, card = artefact.load(folder, machine.device)
    # Sentences that are too long for it are read in pieces.
    cut_to = None if card.task is Task.token_classification else card.max_length
    return Loaded(network, card, load_tokenizer(folder, cut_to=cut_to), machine)


def _texts(inputs: Sequence[Input]) -> list[str]:
    return [one for one in inputs if isinstance(one, str)]


def _entities(
    text: str, places: Sequence[tuple[int, int]], tags: Sequence[str], scores: Sequence[float]
) -> list[Entity]:
    entities = []
    for span in spans(tags):
        start, end = places[span.start][0], places[span.end - 1][1]
        certainty = scores[span.start : span.end]
        entities.append(
            Entity(
                type=span.type,
                text=text[start:end],
                start=start,
                end=end,
                score=sum(certainty) / len(certainty),
            )
        )
    return entities
