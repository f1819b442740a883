"""What the usual recipes learn of each task: a network with a random head, its rows, and its score.

Sub-words beyond the 128th are cut off; a sentence of entities is read in pieces instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForTokenClassification

from benchmarks.corpora import Corpus
from services.training import batches, machine, networks, tagging
from services.training.examples import Example, MultiLabelExample, TextExample, TokenExample
from services.training.networks import IGNORED, MultiLabelClassifier, TextClassifier
from services.training.recipe import Task
from services.training.reporting import labels_scores, spans, thresholds
from services.training.tokenizing import encode_texts, encode_words, load_tokenizer

_LONGEST = 128


@dataclass(frozen=True)
class Setting:
    network: nn.Module
    # Each with `input_ids` and `labels`.
    rows: list[dict[str, Any]]
    collate: Callable[[list[dict[str, Any]]], dict[str, Tensor]]
    # The metric of the task on the test rows, and others beside it, by name.
    score: Callable[[], dict[str, float]]


def texts_of(rows: Sequence[Example]) -> list[TextExample]:
    return [row for row in rows if isinstance(row, TextExample)]


def setting(corpus: Corpus, base_model: Path, *, sample: int | None, pad_to: int | None) -> Setting:
    """What is learnt of the first `sample` training rows, each batch padded to its longest or to `pad_to`."""
    return _SETTINGS[corpus.task](corpus, base_model, sample, pad_to)


def _texts(corpus: Corpus, base_model: Path, sample: int | None, pad_to: int | None) -> Setting:
    train, test = texts_of(corpus.train)[:sample], texts_of(corpus.test)
    ids, tested = _read(base_model, train), _read(base_model, test)
    truth = np.array([corpus.labels.index(row.label) for row in test])
    network = TextClassifier(networks.pretrained(base_model), len(corpus.labels))

    def score() -> dict[str, float]:
        answers = torch.stack(batches.compute(network.logits, tested, 0, machine.here())).argmax(1)
        return {"value": float(np.mean(answers.numpy() == truth))}

    rows = _rows(ids, [corpus.labels.index(row.label) for row in train])
    return Setting(network, rows, partial(_collate, pad_to=pad_to, by_word=False), score)


def _labelled(corpus: Corpus, base_model: Path, sample: int | None, pad_to: int | None) -> Setting:
    train, validation, test = (
        [row for row in rows if isinstance(row, MultiLabelExample)]
        for rows in (corpus.train[:sample], corpus.validation, corpus.test)
    )
    held_out, tested = _read(base_model, validation), _read(base_model, test)
    learned, chosen_by, truth = (
        labels_scores.indicators([row.labels for row in rows], corpus.labels)
        for rows in (train, validation, test)
    )
    network = MultiLabelClassifier(networks.pretrained(base_model), len(corpus.labels))

    def said(ids: list[list[int]]) -> Any:
        return torch.stack(batches.compute(network.probabilities, ids, 0, machine.here())).numpy()

    def score() -> dict[str, float]:
        answers = said(tested)
        chosen = thresholds.choose(chosen_by, said(held_out))
        return {
            "value": labels_scores.micro_f1(truth, thresholds.given(answers, chosen)),
            "from_a_half_on": labels_scores.micro_f1(truth, answers >= 0.5),
        }

    rows = _rows(_read(base_model, train), learned.astype(np.float32).tolist())
    return Setting(network, rows, partial(_collate, pad_to=pad_to, by_word=False), score)


def _sentences(corpus: Corpus, base_model: Path, sample: int | None, pad_to: int | None) -> Setting:
    train, test = (
        [row for row in rows if isinstance(row, TokenExample)]
        for rows in (corpus.train[:sample], corpus.test)
    )
    names = tagging.tag_names(corpus.labels)
    tokenizer = load_tokenizer(base_model)
    pieces, tested = (
        encode_words(tokenizer, [row.tokens for row in rows], _LONGEST) for rows in (train, test)
    )
    network = AutoModelForTokenClassification.from_pretrained(
        base_model, num_labels=len(names), local_files_only=True, dtype=torch.float32
    )

    def logits(input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        outputs: Tensor = network(input_ids=input_ids, attention_mask=attention_mask).logits
        return outputs

    def score() -> dict[str, float]:
        answers = [[tagging.OUTSIDE] * len(row.tokens) for row in test]
        outputs = batches.compute(logits, [piece.ids for piece in tested], 0, machine.here())
        for piece, output in zip(tested, outputs, strict=True):
            for word, place in zip(piece.words, output[piece.firsts].argmax(1).tolist(), strict=True):
                answers[piece.sentence][word] = names[place]
        return {"value": spans.f1([row.tags for row in test], answers)}

    labels = []
    for piece in pieces:
        # A word is its first sub-word; the others carry no loss.
        own = [IGNORED] * len(piece.ids)
        for first, word in zip(piece.firsts, piece.words, strict=True):
            own[first] = names.index(train[piece.sentence].tags[word])
        labels.append(own)
    rows = _rows([piece.ids for piece in pieces], labels)
    return Setting(network, rows, partial(_collate, pad_to=pad_to, by_word=True), score)


_SETTINGS = {
    Task.text_classification: _texts,
    Task.multi_label: _labelled,
    Task.token_classification: _sentences,
}


def _read(base_model: Path, rows: Sequence[TextExample | MultiLabelExample]) -> list[list[int]]:
    return encode_texts(load_tokenizer(base_model, cut_to=_LONGEST), [row.text for row in rows])[0]


def _rows(ids: Sequence[list[int]], labels: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"input_ids": row, "labels": label} for row, label in zip(ids, labels, strict=True)]


def _collate(some: list[dict[str, Any]], *, pad_to: int | None, by_word: bool) -> dict[str, Tensor]:
    # A row more, of the length that is asked for, which is taken away again.
    filler = [[0] * pad_to] if pad_to else []
    tensors = batches.inputs([*(row["input_ids"] for row in some), *filler], 0)
    labels = [row["labels"] for row in some]
    tensors["labels"] = batches.pad([*labels, *filler], IGNORED) if by_word else torch.tensor(labels)
    return {name: tensor[: len(some)] for name, tensor in tensors.items()}
