"""What the tasks share that answer a text, or a pair of texts, as a whole: rows, Quick, and fine-tuning.

Quick embeds the rows once with the frozen base and fits a linear head on that: on the training rows, to
choose how strongly, and then on those and the validation rows. Fine-tuning goes on from the head that has not
seen the validation rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import Linear
from torch.nn.functional import linear

from services.training import fitting, networks, readings
from services.training.between import Worth
from services.training.context import Run
from services.training.course import CHECKED
from services.training.examples import SPLITS
from services.training.failures import DataDoesNotFit
from services.training.fitting import Method
from services.training.networks import TextNetwork
from services.training.process.events import Phase
from services.training.readings import Pairs, Texts
from services.training.reporting import by_class
from services.training.reporting.report import RowCounts
from services.training.reporting.study import Study
from services.training.stages import Outputs, Quick, Reached
from services.training.tokenizing import load_tokenizer
from services.training.words import NOTHING, Beside, Words

RowT = TypeVar("RowT")
# Validation metrics by name, the higher the better, of outputs and targets of the same rows.
Score = Callable[[Tensor, Tensor], dict[str, float]]


@dataclass(frozen=True)
class Data(Generic[RowT]):
    """By the names of the splits: the rows, what is read of them, and targets as the loss takes them."""

    rows: dict[str, list[RowT]]
    read: Mapping[str, Texts | Pairs]
    targets: dict[str, Tensor]

    @property
    def truncated(self) -> int:
        """Rows that were cut."""
        return sum(part.cut for part in self.read.values())

    @property
    def counts(self) -> RowCounts:
        """Rows per split."""
        return RowCounts(**{split: len(rows) for split, rows in self.rows.items()})


def splits(run: Run, read: Callable[[Path], list[RowT]]) -> dict[str, list[RowT]]:
    """The rows of each split.

    Raises:
        DataDoesNotFit: a split has none.
    """
    rows = {split: read(run.folder.split(split)) for split in SPLITS}
    for split in SPLITS:
        if not rows[split]:
            raise DataDoesNotFit(f"The {split} split has no rows. Upload more rows, or split them otherwise.")
    return rows


def numbers(named: Sequence[str], labels: Sequence[str]) -> Tensor:
    """(rows), the number of each row's label.

    Raises:
        DataDoesNotFit: fewer than two labels, or one that is not among them.
    """
    if len(labels) < 2:
        raise DataDoesNotFit(
            "There is only one label, so there is nothing to learn. Upload rows of at least two."
        )
    places = {label: number for number, label in enumerate(labels)}
    try:
        return torch.tensor([places[label] for label in named])
    except KeyError as unknown:
        raise unknown_label(unknown) from None


def unknown_label(label: object) -> DataDoesNotFit:
    """A row has a label that the run is not told to learn."""
    return DataDoesNotFit(f"The label {label} is in the rows but not among the labels to learn.")


def encode(
    run: Run,
    rows: dict[str, list[RowT]],
    *,
    first: Callable[[RowT], str],
    second: Callable[[RowT], str] | None = None,
    targets: Callable[[list[RowT]], Tensor],
) -> Data[RowT]:
    """The rows as they are read, and their targets; tells the customer of rows that are cut."""
    tokenizer = load_tokenizer(run.spec.base_model_path, cut_to=run.settings.max_length)
    read: dict[str, Texts | Pairs] = {}
    for split, some in rows.items():
        firsts = [first(row) for row in some]
        seconds = [second(row) for row in some] if second else None
        read[split] = (
            readings.texts(tokenizer, firsts)
            if seconds is None
            else readings.pairs(tokenizer, firsts, seconds)
        )
    data = Data(rows, read, {split: targets(some) for split, some in rows.items()})
    if data.truncated:
        length = run.settings.max_length
        what = "their longer text is cut" if second else "only their beginning is read"
        run.journal.note(f"{data.truncated} rows have more than {length} tokens; {what}.")
    return data


def quick(
    run: Run,
    network: TextNetwork,
    data: Data[RowT],
    *,
    head: str,
    method: Method,
    score: Score,
    metric: str,
    rank: Callable[[Tensor, Tensor], float] | None = None,
    study: Callable[[dict[str, Tensor], fitting.Head], Study] | None = None,
    keywords: Words | None = None,
) -> Quick:
    """Fit the layer that is called `head` on the frozen base, its strength chosen by the validation rows.

    They choose by `metric` of the score, or by `rank` where there is one. `study` looks at the features, by
    split, and at a head that has learnt from the training rows alone. `keywords` are learnt beside each head,
    and chosen with it; a head does without where the validation rows rank it no higher with them.
    """
    with run.journal.phase(Phase.embedding):
        parts = readings.embedded(run, network, [data.read[split] for split in SPLITS], frozen=True)
        features = dict(zip(SPLITS, parts, strict=True))
    held_out, truth = features["validation"], data.targets["validation"]

    # By the strength of the head.
    beside: dict[float, Beside] = {}

    def said(head: fitting.Head) -> Outputs:
        return {split: linear(part, head.weight, head.bias) for split, part in features.items()}

    def worth(outputs: Tensor) -> tuple[float, dict[str, float]]:
        metrics = score(outputs, truth)
        return rank(outputs, truth) if rank else metrics[metric], metrics

    def scored(head: fitting.Head) -> tuple[float, dict[str, float]]:
        of_head, beside[head.strength] = said(head), NOTHING
        alone = worth(of_head["validation"])
        if keywords is None:
            return alone
        found = keywords.fit(of_head, ["train"])
        together = worth(found.added("validation", of_head["validation"]))
        if together[0] <= alone[0]:
            return alone
        beside[head.strength] = found
        return together

    with run.journal.phase(Phase.fitting):
        learned, targets = features["train"], data.targets["train"]
        layer = network.get_submodule(head)
        assert isinstance(layer, Linear)
        blank = fitting.blank(layer)
        chosen, metrics = fitting.choose(method, learned, targets, blank, scored, run.journal)
        layer.load_state_dict({"weight": chosen.weight, "bias": chosen.bias})
        network.load_state_dict(beside[chosen.strength].weights, strict=False)
        looked = study(features, chosen) if study else None
        every, all_targets = torch.cat([learned, held_out]), torch.cat([targets, truth])
        (refitted,) = method.solve(every, all_targets, (chosen.strength,), chosen)
        of_all, more = said(refitted), NOTHING
        if keywords and beside[chosen.strength] is not NOTHING:
            more = keywords.fit(of_all, ["train", "validation"])
            run.journal.note(
                "Quick counts single words beside the whole text: validation rows are answered better so."
            )
    return Quick(
        Reached(metrics[metric], tokens=readings.tokens(data.read["train"]), refitted=True),
        outputs={
            "validation": beside[chosen.strength].added("validation", said(chosen)["validation"]),
            "test": more.added("test", of_all["test"]),
        },
        refitted={f"{head}.weight": refitted.weight, f"{head}.bias": refitted.bias, **more.weights},
        study=looked,
    )


def finetune(
    run: Run,
    network: TextNetwork,
    data: Data[RowT],
    *,
    score: Score,
    metric: str,
    answers: Callable[[Tensor, Tensor], ArrayLike] | None = None,
) -> Reached:
    """Train all weights but the embedding table, scored by the validation rows.

    answers: outputs and targets to the classes that the model names, whose scores are told one by one.
    """
    networks.freeze_embedding_table(network.encoder)

    def validated() -> dict[str, float]:
        outputs = readings.outputs(network, data.read["validation"], run.machine)
        truth = data.targets["validation"]
        classes = by_class.of_answers(truth, answers(outputs, truth), run.labels) if answers else {}
        return score(outputs, truth) | classes

    rows = readings.rows(network, data.read["train"], data.targets["train"])
    if run.recipe.search_seconds:
        # Imported here: no other run should have to wait for Optuna.
        from services.training.search import search

        return search(run, network, rows, readings.collate(network), validated, metric=metric)
    # Imported here: Quick should not have to wait for Trainer, with which peft comes.
    from services.training.finetune import finetune as train

    return train(run, network, rows, readings.collate(network), validated, metric=metric)


def worth(
    run: Run,
    network: TextNetwork,
    data: Data[RowT],
    *,
    score: Score,
    metric: str,
    rank: Callable[[Tensor, Tensor], float],
) -> Worth:
    """What the validation rows say of the network as it is; score, metric and rank as for `quick`."""
    outputs = readings.outputs(network, data.read["validation"], run.machine)
    truth = data.targets["validation"]
    return Worth(score(outputs, truth)[metric], rank(outputs, truth))


def outputs(run: Run, network: TextNetwork, data: Data[RowT]) -> Outputs:
    """(rows, outputs) of the checked splits, before softmax or sigmoid."""
    return {
        split: readings.outputs(
            network, data.read[split], run.machine, run.journal.pace(len(data.rows[split]))
        )
        for split in CHECKED
    }
