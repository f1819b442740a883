"""What a network reads of rows: texts, or pairs of texts; alike in training and in prediction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from services.training import batches, networks
from services.training.context import Run
from services.training.machine import Machine
from services.training.networks import PairClassifier, TextNetwork
from services.training.process.wishes import heed_pause
from services.training.remembered import Damaged, Remembered
from services.training.tokenizing import Joined, encode_pairs, encode_texts

# Pairs whose features, four times the hidden size each, are held at once for an answer.
_AT_ONCE = 4_096

Tell = Callable[[int], None]


@dataclass(frozen=True)
class Texts:
    """The sub-word ids of each text."""

    ids: list[list[int]]
    # Texts that were cut.
    cut: int


@dataclass(frozen=True)
class Pairs:
    """The sub-word ids of each text of each pair, and of both in one row."""

    first: list[list[int]]
    second: list[list[int]]
    joined: Joined

    @property
    def ids(self) -> list[list[int]]:
        """The sub-word ids of each pair."""
        return self.joined.ids

    @property
    def cut(self) -> int:
        """Pairs that were cut."""
        return self.joined.cut


def texts(tokenizer: Tokenizer, of: Sequence[str]) -> Texts:
    """Read texts; the tokenizer cuts."""
    return Texts(*encode_texts(tokenizer, of))


def pairs(tokenizer: Tokenizer, firsts: Sequence[str], seconds: Sequence[str]) -> Pairs:
    """Read pairs; the tokenizer cuts."""
    return Pairs(
        encode_texts(tokenizer, firsts)[0],
        encode_texts(tokenizer, seconds)[0],
        encode_pairs(tokenizer, firsts, seconds),
    )


def tokens(read: Texts | Pairs) -> int:
    """Sub-words in all."""
    return sum(map(len, read.ids))


def features(
    network: TextNetwork,
    read: Texts | Pairs,
    machine: Machine,
    tell: Tell | None = None,
) -> Tensor:
    """What a linear head is fitted on: (rows, hidden) of texts, (rows, 4 · hidden) of pairs.

    A text that comes in several pairs is read once. `tell` hears how many texts are done.
    """
    rows = _each(read)
    padding = networks.padding_id(network.encoder)
    return _features(read, rows, torch.stack(batches.compute(network.embed, rows, padding, machine, tell)))


def embedded(
    run: Run,
    network: TextNetwork,
    parts: Sequence[Texts | Pairs],
    *,
    frozen: bool = False,
    again: bool = False,
) -> list[Tensor]:
    """The features of several splits; tells how far it is, and heeds a pause that is asked for.

    What a `frozen` base model, as the catalogue has it, read in an earlier run is not read again, which is
    told unless this run has asked for the same rows already and does so `again`.
    """
    network.eval()
    rows = [_each(part) for part in parts]
    every = [ids for some in rows for ids in some]
    kept = Remembered(run.folder.remembered, _how(run.machine))
    frozen = frozen and not run.recipe.familiarising_epochs
    if frozen:
        _recall(run, kept, every, again=again)

    def compute(new: Sequence[Sequence[int]]) -> Tensor:
        pace = run.journal.pace(len(new))

        def tell(done: int) -> None:
            pace(done)
            heed_pause(run.folder)

        padding = networks.padding_id(network.encoder)
        return torch.stack(batches.compute(network.embed, new, padding, run.machine, tell))

    vectors = kept.read(every, compute)
    if frozen:
        kept.save()
    return [
        _features(part, some, found)
        for part, some, found in zip(
            parts, rows, torch.split(vectors, [len(some) for some in rows]), strict=True
        )
    ]


def _each(read: Texts | Pairs) -> Sequence[Sequence[int]]:
    """The texts that a base model reads one by one."""
    if isinstance(read, Texts):
        return read.ids
    return list(dict.fromkeys(tuple(ids) for side in (read.first, read.second) for ids in side))


def _features(read: Texts | Pairs, rows: Sequence[Sequence[int]], vectors: Tensor) -> Tensor:
    """vectors: (rows, hidden) of the texts that were read one by one."""
    if isinstance(read, Texts):
        return vectors
    numbers = {ids: number for number, ids in enumerate(rows)}
    first, second = (
        torch.tensor([numbers[tuple(ids)] for ids in side]) for side in (read.first, read.second)
    )
    return networks.pair_features(vectors[first], vectors[second])


def _recall(run: Run, kept: Remembered, rows: Sequence[Sequence[int]], *, again: bool) -> None:
    try:
        kept.load()
    except Damaged:
        run.journal.note(
            "What an earlier run had read of this data set was damaged; all of it is read again."
        )
        return
    known = kept.known(rows)
    if known and not again:
        how_many = f"All {known:,}" if known == len(rows) else f"{known:,} of {len(rows):,}"
        run.journal.note(f"{how_many} rows were read before, by an earlier run on this data set.")


def _how(machine: Machine) -> str:
    """What else decides the vectors of rows, beside the base model and their ids."""
    return f"mean {'bfloat16' if machine.bf16 else 'float32'} {machine.device.type}"


def outputs(
    network: TextNetwork,
    read: Texts | Pairs,
    machine: Machine,
    tell: Tell | None = None,
) -> Tensor:
    """(rows, outputs) before softmax or sigmoid, in the rows' order; `tell` hears how many rows are done."""
    network.eval()
    padding = networks.padding_id(network.encoder)
    if isinstance(read, Texts):
        return torch.stack(batches.compute(network.logits, read.ids, padding, machine, tell))
    assert isinstance(network, PairClassifier)
    if network.reads_together:
        types = _types(network, read)
        return torch.stack(batches.compute(network.logits, read.ids, padding, machine, tell, types))
    of_both = features(network, read, machine, tell)
    with torch.inference_mode():
        parts = [
            network.apart(part.to(machine.device)).float().cpu() for part in torch.split(of_both, _AT_ONCE)
        ]
    return torch.cat(parts)


def rows(network: TextNetwork, read: Texts | Pairs, targets: Tensor) -> list[dict[str, Any]]:
    """What the Trainer path reads: texts, or pairs together; targets: as the network's loss takes them."""
    found: list[dict[str, Any]] = [
        {"input_ids": ids, "labels": target} for ids, target in zip(read.ids, targets, strict=True)
    ]
    if isinstance(read, Pairs) and (types := _types(network, read)):
        for row, kinds in zip(found, types, strict=True):
            row["token_type_ids"] = kinds
    return found


def collate(
    network: TextNetwork,
) -> Callable[[list[dict[str, Any]]], dict[str, Tensor]]:
    """What makes a network's inputs of some of these rows."""
    padding = networks.padding_id(network.encoder)

    def together(batch: list[dict[str, Any]]) -> dict[str, Tensor]:
        types = [row["token_type_ids"] for row in batch] if "token_type_ids" in batch[0] else None
        tensors = batches.inputs([row["input_ids"] for row in batch], padding, types)
        return {**tensors, "labels": torch.stack([row["labels"] for row in batch])}

    return together


def _types(network: TextNetwork, read: Pairs) -> list[list[int]] | None:
    return read.joined.types if networks.knows_types(network.encoder) else None
