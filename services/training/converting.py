"""A version as ONNX: `python -m services.training.converting MODEL OUT`; a folder in, a folder out.

Both are then asked the same rows, and what came of that stands in `parity.json`.
"""

import sys
from pathlib import Path

from services.training import fences

if __name__ == "__main__":
    # Before the slow imports, so that nothing outlives who asked for it.
    fences.put_up()

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from services.training import answered, artefact, batches
from services.training.answered import ANSWERED
from services.training.networks import TextClassifier, TokenClassifier
from services.training.tokenizing import load_tokenizer

ONNX, PARITY = "model.onnx", "parity.json"
# Rows of the test split that both answer.
_ROWS = 200
# Sub-words in a batch of the comparison.
_TOKENS = 1_024
_OPSET = 18


class Parity(BaseModel):
    """How far apart the two were: the largest difference of a probability, and rows with the same answer."""

    model_config = ConfigDict(frozen=True)

    rows: int
    largest_difference: float
    same_answers: int


class _Probabilities(nn.Module):
    def __init__(self, network: TextClassifier | TokenClassifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return self.network.probabilities(input_ids, attention_mask)


def convert(model: Path, out: Path) -> Parity:
    """Write the network of an artefact as ONNX, its tokenizer and card beside it, and compare the two."""
    network, card = artefact.load(model, torch.device("cpu"))
    if not isinstance(network, TextClassifier | TokenClassifier):
        raise TypeError(f"{card.architecture} cannot be converted")
    wrapped = _Probabilities(network).eval()
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(model, cut_to=card.max_length)
    example = batches.inputs([[101, 102, 103], [101, 102, 103]], 0)
    torch.onnx.export(
        wrapped,
        (example["input_ids"], example["attention_mask"]),
        str(out / ONNX),
        input_names=["input_ids", "attention_mask"],
        output_names=["probabilities"],
        opset_version=_OPSET,
        # Traced: in a third of the time of the newer exporter, and as exact.
        dynamo=False,
        dynamic_axes={name: {0: "rows", 1: "tokens"} for name in ("input_ids", "attention_mask")},
    )
    ids = [encoding.ids for encoding in tokenizer.encode_batch(_texts(model))]
    parity = _compare(wrapped, out / ONNX, ids)
    (out / PARITY).write_text(parity.model_dump_json(indent=1))
    return parity


def _texts(model: Path) -> list[str]:
    rows = answered.read((model / ANSWERED).read_bytes()) if (model / ANSWERED).exists() else []
    return [row.text for row in rows if row.split == "test"][:_ROWS] or ["Is it the same?"]


def _compare(network: nn.Module, file: Path, rows: list[list[int]]) -> Parity:
    from onnxruntime import InferenceSession

    session = InferenceSession(str(file), providers=["CPUExecutionProvider"])
    largest, same = 0.0, 0
    for batch in batches.by_length([len(ids) for ids in rows], _TOKENS):
        tensors = batches.inputs([rows[row] for row in batch], 0)
        with torch.inference_mode():
            ours: NDArray[np.float32] = network(**tensors).numpy()
        (theirs,) = session.run(None, {name: tensor.numpy() for name, tensor in tensors.items()})
        largest = max(largest, float(np.abs(ours - theirs).max()))
        agreed = ours.argmax(-1) == theirs.argmax(-1)
        same += int(agreed.reshape(len(batch), -1).all(1).sum())
    return Parity(rows=len(rows), largest_difference=largest, same_answers=same)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
