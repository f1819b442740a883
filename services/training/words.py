"""Keywords beside the embedding: what each sub-word of a text adds to each label by itself.

A frozen base model averages a text into what it is about, and loses the word that decides. The table is
fitted on what a head leaves unexplained, and stays empty where the validation rows gain nothing by it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from services.training import fitting
from services.training.course import CHECKED
from services.training.stages import Outputs
from services.training.tasks.texts import Beside

# Inverse regularisation. On 8,000 rows of GoEmotions 3 to 10 were as good as one another, 1 and 30 worse.
_STRENGTH, _STEPS = 3.0, 50


@dataclass(frozen=True)
class Bags:
    """The sub-words of some rows, one row after the other."""

    flat: Tensor
    # Where each row begins, and how many it has: (rows).
    starts: Tensor
    counts: Tensor

    @classmethod
    def of(cls, ids: Sequence[Sequence[int]]) -> "Bags":
        """Of rows of sub-word ids, none of them empty."""
        counts = torch.tensor([len(row) for row in ids])
        flat = torch.tensor([one for row in ids for one in row])
        return cls(flat, counts.cumsum(0) - counts, counts)

    def add(self, table: Tensor) -> Tensor:
        """(rows, labels), as the network adds it; table: (vocabulary, labels)."""
        sums: Tensor = embedding_bag(self.flat, table, self.starts, mode="sum")
        return sums * self.counts.unsqueeze(1) ** -0.5


class Words:
    """Learns a table for one head after the other; each begins where the one before ended."""

    def __init__(
        self, ids: Mapping[str, Sequence[Sequence[int]]], targets: Mapping[str, Tensor], vocabulary: int
    ) -> None:
        """By split: ids, the sub-words of each row; targets: (rows, labels)."""
        self._bags = {split: Bags.of(rows) for split, rows in ids.items()}
        self._targets, self._vocabulary = targets, vocabulary
        # Sub-words that no training row has add nothing.
        self._seen, places = torch.unique(self._bags["train"].flat, return_inverse=True)
        self._known = Bags(places, self._bags["train"].starts, self._bags["train"].counts)
        self._weight = torch.zeros(len(self._seen), targets["train"].shape[1])

    def beside(self, said: Outputs) -> Beside:
        """What words add where a head has said this; nothing, where validation rows are not likelier so."""
        targets, weight = self._targets["train"], self._weight

        def loss() -> Tensor:
            penalty = weight.square().sum() / (2 * _STRENGTH * len(targets))
            return fitting.one_vs_rest(said["train"] + self._known.add(weight), targets) + penalty

        fitting.minimise(loss, [weight], steps=_STEPS)
        table = torch.zeros(self._vocabulary, targets.shape[1])
        table[self._seen] = weight
        outputs = {split: self._bags[split].add(table) for split in CHECKED}
        held_out, truth = said["validation"], self._targets["validation"]
        if fitting.likelihood(held_out + outputs["validation"], truth) <= fitting.likelihood(held_out, truth):
            return Beside({}, {})
        return Beside({"words.weight": table}, outputs)
