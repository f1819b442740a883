"""Keywords beside the embedding: what each sub-word of a text adds to each label by itself.

A frozen base model averages a text into what it is about, and loses the word that decides. The table is
fitted on what a head leaves unexplained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from services.training import fitting
from services.training.fitting import Loss
from services.training.networks import WordTable
from services.training.stages import Outputs

# Inverse regularisation: on 8,000 rows of GoEmotions 3 to 10 were as good as one another, 1 and 30 worse; on
# banking77 1 to 10. Of fifty steps the last twenty-five changed nothing. A sub-word is in few rows, so that
# its gradient is small where much is still to be learnt.
_STRENGTH, _STEPS, _TOLERANCE = 3.0, 25, 1e-7
# Where it is only looked what some rows would teach: on 4,000 rows within half a point of micro F1 of fifty.
_LOOKING_STEPS = 15


class Beside(NamedTuple):
    """What a network learns beside a head: weights by name, and what they add to splits it did not see."""

    weights: dict[str, Tensor]
    outputs: Outputs

    def added(self, split: str, said: Tensor) -> Tensor:
        """What a head says of a split, and what is beside it."""
        return said + self.outputs[split] if self.outputs else said


NOTHING = Beside({}, {})


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

    def of_places(self, places: Tensor) -> "Bags":
        """The same rows with the rows of a table in place of sub-words; places: (vocabulary)."""
        return Bags(places[self.flat], self.starts, self.counts)

    def add(self, table: Tensor) -> Tensor:
        """(rows, labels), as the network adds it; table: (sub-words or places, labels)."""
        sums: Tensor = embedding_bag(self.flat, table, self.starts, mode="sum")
        return sums * self.counts.unsqueeze(1) ** -0.5


class Words:
    """Learns a table beside one head after the other; each begins where the one before ended."""

    def __init__(
        self,
        ids: Mapping[str, Sequence[Sequence[int]]],
        targets: Mapping[str, Tensor],
        table: WordTable,
        *,
        loss_of: Loss,
    ) -> None:
        """By split: the ids of the sub-words of each row, and targets as the loss takes them."""
        self._ids, self._targets, self._loss_of = ids, targets, loss_of
        self._vocabulary, self._labels = len(table.places), table.weight.shape[1]
        self._begun: dict[tuple[str, ...], tuple[Tensor, Tensor]] = {}

    def fit(self, said: Outputs, learned: Sequence[str]) -> Beside:
        """What words add where a head has said this, as the rows of the splits that are `learned` tell."""
        rows = Bags.of([row for split in learned for row in self._ids[split]])
        truth = torch.cat([self._targets[split] for split in learned])
        of_head = torch.cat([said[split] for split in learned])
        if tuple(learned) not in self._begun:
            self._begun[tuple(learned)] = self._table(rows)
        places, weight = self._begun[tuple(learned)]
        self._fit(weight, rows.of_places(places), of_head, truth, steps=_STEPS)
        others = [split for split in said if split not in learned]
        return Beside(
            {"words.weight": weight.clone(), "words.places": places},
            {split: self._added(split, places, weight) for split in others},
        )

    def together(self, some: Tensor, said: Outputs) -> Outputs:
        """What a head has said, and what words add to it that learn from some training rows alone.

        some: the numbers of these rows, from which the head has learnt as well.
        """
        rows = Bags.of([self._ids["train"][row] for row in some.tolist()])
        places, weight = self._table(rows)
        truth = self._targets["train"][some]
        self._fit(weight, rows.of_places(places), said["train"][some], truth, steps=_LOOKING_STEPS)
        return {split: part + self._added(split, places, weight) for split, part in said.items()}

    def _table(self, rows: Bags) -> tuple[Tensor, Tensor]:
        """The places of the sub-words of some rows, and an empty table of these."""
        seen = torch.unique(rows.flat)
        places = torch.zeros(self._vocabulary, dtype=torch.int32)
        places[seen] = torch.arange(1, len(seen) + 1, dtype=torch.int32)
        # The first row is for sub-words that no row has, and stays as it is: nothing pulls at it.
        return places, torch.zeros(len(seen) + 1, self._labels)

    def _fit(self, weight: Tensor, rows: Bags, of_head: Tensor, truth: Tensor, *, steps: int) -> None:
        def loss() -> Tensor:
            penalty = weight[1:].square().sum() / (2 * _STRENGTH * len(truth))
            return self._loss_of(of_head + rows.add(weight), truth) + penalty

        fitting.minimise(loss, [weight], steps=steps, tolerance=_TOLERANCE)

    def _added(self, split: str, places: Tensor, weight: Tensor) -> Tensor:
        return Bags.of(self._ids[split]).of_places(places).add(weight)
