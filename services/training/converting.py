"""A version as ONNX: `python -m services.training.converting MODEL OUT`; a folder in, a folder out.

Both are then asked the same rows, and what came of that stands in `parity.json`.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from services.training.process import fences

if __name__ == "__main__":
    # Before the slow imports, so that nothing outlives who asked for it.
    fences.put_up()

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from tokenizers import Tokenizer
from torch import Tensor, nn

from services.training import artefact, batches, networks, readings
from services.training.artefact import Card
from services.training.networks import Network, PairClassifier, WordClassifier
from services.training.reporting import answered
from services.training.reporting.answered import ANSWERED
from services.training.shapes import NO_WORD
from services.training.tokenizing import encode_words, load_tokenizer

ONNX, PARITY = "model.onnx", "parity.json"
# Rows of the test split that both answer.
_ROWS = 200
# Sub-words in a batch of the comparison.
_TOKENS = 1_024
_OPSET = 18
# Of a standard deviation: scores that are no farther apart count as the same.
_SAME_SCORE = 1e-3


class Parity(BaseModel):
    """How far apart both were: the largest difference of a probability or score, and rows answered alike."""

    model_config = ConfigDict(frozen=True)

    rows: int
    largest_difference: float
    same_answers: int


class _Answers(nn.Module):
    """What is asked of a network, as one function of tensors; the subclasses differ in what is read."""

    def __init__(self, network: Network, card: Card) -> None:
        super().__init__()
        self.network, self.card = network, card

    def answer(self, logits: Tensor) -> Tensor:
        """Probabilities of labels, or scores in the customer's unit."""
        scale = self.card.scale
        if scale is not None:
            return logits * scale.deviation + scale.mean
        scaled = logits / self.card.temperature
        return scaled.sigmoid() if self.card.thresholds else scaled.softmax(-1)


class _Alone(_Answers):
    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        assert not isinstance(self.network, WordClassifier)
        return self.answer(self.network.logits(input_ids, attention_mask))


class _Words(_Answers):
    def forward(self, input_ids: Tensor, attention_mask: Tensor, shapes: Tensor) -> Tensor:
        assert isinstance(self.network, WordClassifier)
        return self.answer(self.network.logits(input_ids, attention_mask, shapes))


class _Together(_Answers):
    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        assert isinstance(self.network, PairClassifier)
        return self.answer(self.network.logits(input_ids, attention_mask, token_type_ids))


class _Apart(_Answers):
    def forward(
        self, first_ids: Tensor, first_mask: Tensor, second_ids: Tensor, second_mask: Tensor
    ) -> Tensor:
        assert isinstance(self.network, PairClassifier)
        first, second = (
            self.network.embed(ids, mask)
            for ids, mask in ((first_ids, first_mask), (second_ids, second_mask))
        )
        return self.answer(self.network.apart(networks.pair_features(first, second)))


# The tensors of some rows, by the names that the network asks for them.
Inputs = Callable[[Sequence[int]], dict[str, Tensor]]


def convert(model: Path, out: Path) -> Parity:
    """Write the network of an artefact as ONNX, its tokenizer and card beside it, and compare the two."""
    network, card = artefact.load(model, torch.device("cpu"))
    out.mkdir(parents=True, exist_ok=True)
    wrapped, inputs, lengths = _asked(
        network, card, load_tokenizer(model, cut_to=card.max_length), _texts(model)
    )
    # Two rows, so that the number of rows is not taken for one.
    example = inputs([0, 0])
    torch.onnx.export(
        wrapped.eval(),
        tuple(example.values()),
        str(out / ONNX),
        input_names=list(example),
        output_names=["answers"],
        opset_version=_OPSET,
        # Traced: in a third of the time of the newer exporter, and as exact.
        dynamo=False,
        dynamic_axes={name: {0: "rows", 1: f"tokens of {name.split('_')[0]}"} for name in example},
    )
    parity = _compare(wrapped, out / ONNX, inputs, lengths)
    (out / PARITY).write_text(parity.model_dump_json(indent=1))
    return parity


def _asked(
    network: Network, card: Card, tokenizer: Tokenizer, texts: list[str]
) -> tuple[_Answers, Inputs, list[int]]:
    """The function to convert, what it reads of rows by their numbers, and the rows' lengths."""
    if isinstance(network, WordClassifier):
        pieces = encode_words(tokenizer, [text.split() for text in texts], card.max_length)

        def pieces_of(rows: Sequence[int]) -> dict[str, Tensor]:
            some = [pieces[row] for row in rows]
            shapes = [piece.spread(piece.shapes, NO_WORD) for piece in some]
            return batches.inputs([piece.ids for piece in some], 0, shapes=shapes)

        return _Words(network, card), pieces_of, [len(piece.ids) for piece in pieces]
    if not isinstance(network, PairClassifier):
        read = readings.texts(tokenizer, texts)
        return _Alone(network, card), lambda rows: _of(read.ids, rows), [len(ids) for ids in read.ids]
    # As evidence has them: one below the other.
    firsts, seconds = zip(*((text.partition("\n")[::2]) for text in texts), strict=True)
    pairs = readings.pairs(tokenizer, firsts, seconds)
    lengths = [len(ids) for ids in pairs.ids]
    if not network.reads_together:

        def apart(rows: Sequence[int]) -> dict[str, Tensor]:
            first, second = _of(pairs.first, rows), _of(pairs.second, rows)
            return {
                "first_ids": first["input_ids"],
                "first_mask": first["attention_mask"],
                "second_ids": second["input_ids"],
                "second_mask": second["attention_mask"],
            }

        return _Apart(network, card), apart, lengths
    if not networks.knows_types(network.encoder):
        return _Alone(network, card), lambda rows: _of(pairs.ids, rows), lengths
    types = pairs.joined.types
    return _Together(network, card), lambda rows: _of(pairs.ids, rows, types), lengths


def _of(ids: list[list[int]], rows: Sequence[int], types: list[list[int]] | None = None) -> dict[str, Tensor]:
    kinds = None if types is None else [types[row] for row in rows]
    return batches.inputs([ids[row] for row in rows], 0, kinds)


def _texts(model: Path) -> list[str]:
    rows = answered.read((model / ANSWERED).read_bytes()) if (model / ANSWERED).exists() else []
    return [row.text for row in rows if row.split == "test"][:_ROWS] or ["Is it the same?\nIs it so?"]


def _compare(wrapped: _Answers, file: Path, inputs: Inputs, lengths: list[int]) -> Parity:
    from onnxruntime import InferenceSession

    session = InferenceSession(str(file), providers=["CPUExecutionProvider"])
    largest, same = 0.0, 0
    scale = wrapped.card.scale
    for batch in batches.by_length(lengths, _TOKENS):
        tensors = inputs(batch)
        with torch.inference_mode():
            ours: NDArray[np.float32] = wrapped(**tensors).numpy()
        (theirs,) = session.run(None, {name: tensor.numpy() for name, tensor in tensors.items()})
        largest = max(largest, float(np.abs(ours - theirs).max()))
        if scale is not None:
            agreed = np.abs(ours - theirs) <= _SAME_SCORE * scale.deviation
        elif wrapped.card.thresholds:
            needed = np.array(wrapped.card.thresholds, np.float32)
            agreed = (ours >= needed) == (theirs >= needed)
        else:
            agreed = ours.argmax(-1) == theirs.argmax(-1)
        same += int(agreed.reshape(len(batch), -1).all(1).sum())
    return Parity(rows=len(lengths), largest_difference=largest, same_answers=same)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
