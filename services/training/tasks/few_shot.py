"""Few-shot: what helps a text classifier where its labels have a handful of rows each.

The words of a label's name are one more row of it, and the base model learns to put texts of one label near
one another and others far apart (supervised contrastive learning, Khosla et al. 2020). Whether either of them
helps, and whether single words still do beside them, is asked of rows that were not learnt from: every row of
training and validation is once held out.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from services.training import batches, between, fitting, layers, networks, readings
from services.training.context import Run
from services.training.examples import TextExample
from services.training.failures import LossIsNotANumber
from services.training.networks import TextClassifier
from services.training.process.events import Phase
from services.training.process.folder import COMPLETE
from services.training.process.wishes import heed_pause
from services.training.readings import Texts
from services.training.recipe import Hyperparameters
from services.training.reporting import study
from services.training.stages import Outputs, Reached
from services.training.tasks.texts import Data
from services.training.tokenizing import load_tokenizer
from services.training.words import Words

# What the similarity of two texts is divided by, and the most labels of which a step reads rows.
_TEMPERATURE, _LABELS_PER_STEP = 0.05, 32
# How far the weights go from the base model's to those that were learnt; in between they tell more of texts
# unlike those that were learnt from.
_SHARE = 0.5
_HALVES = 2
_WEIGHTS = "encoder.safetensors"
_HELD_OUT = "held-out.safetensors"


@dataclass(frozen=True)
class _Rows:
    """Sub-word ids, and the number of each row's label."""

    ids: list[list[int]]
    targets: Tensor

    def of(self, places: Tensor) -> "_Rows":
        return _Rows([self.ids[place] for place in places.tolist()], self.targets[places])

    def and_also(self, more: "_Rows") -> "_Rows":
        return _Rows([*self.ids, *more.ids], torch.cat([self.targets, more.targets]))


@dataclass(frozen=True)
class _Way:
    """A way to learn, and what it says of rows that were held out; outputs: (rows, labels)."""

    named: bool
    contrasted: bool
    # Whether single words count beside the whole text.
    worded: bool
    strength: float
    outputs: Tensor
    certainty: float
    accuracy: float


def tune(run: Run, network: TextClassifier, data: Data[TextExample]) -> Reached:
    """Leave the network with the way to learn that held-out rows like best, unless that is Quick's own.

    Raises:
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause; what is not whole begins anew then.
    """
    learned = len(data.rows["train"])
    rows = _Rows(
        [*data.read["train"].ids, *data.read["validation"].ids],
        torch.cat([data.targets["train"], data.targets["validation"]]),
    )
    names = _names(run)
    lesson = _Lesson(run, network, names)
    with run.journal.phase(Phase.training):
        ways = _ways(lesson, rows)
        quick, best = ways[0], _best(ways)
        if best.contrasted:
            lesson.take("whole", rows)
            if lesson.stopped:
                # What a half of the rows has taught is as good as the other half says, and the best so far.
                lesson.recall(_half(0))
        stopped_at = lesson.done if lesson.stopped else None
        if best is quick:
            if not lesson.stopped:
                run.journal.note("Held-out rows do no better than with Quick: the Quick model is published.")
            return Reached(quick.accuracy, tokens=lesson.tokens, stopped_at=stopped_at, worse=True)
        run.journal.note(
            f"On rows held out, Quick reached {quick.accuracy:.1%} and this {best.accuracy:.1%}, "
            f"with {', '.join(_what(best))}."
        )
        lesson.settle(best, rows.and_also(names) if best.named else rows)
    save_file({"validation": best.outputs[learned:].contiguous()}, run.folder.checkpoints / _HELD_OUT)
    right = best.outputs[learned:].argmax(1) == rows.targets[learned:]
    reached = float(right.float().mean())
    return Reached(reached, tokens=lesson.tokens, stopped_at=stopped_at, refitted=True)


def outputs(run: Run, network: TextClassifier, data: Data[TextExample]) -> Outputs:
    """(rows, labels) of the checked splits: those of the validation rows from when they were held out."""
    tell = run.journal.pace(len(data.rows["test"]))
    answers = readings.outputs(network, data.read["test"], run.machine, tell)
    return {**load_file(run.folder.checkpoints / _HELD_OUT), "test": answers}


def words_of(label: str) -> str:
    """A label's name as a sentence would have it: `card_arrival` and `cardArrival` become "card arrival"."""
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", label)
    return " ".join(re.sub(r"[\W_]+", " ", apart).lower().split())


def _names(run: Run) -> _Rows:
    tokenizer = load_tokenizer(run.spec.base_model_path, cut_to=run.settings.max_length)
    read = readings.texts(tokenizer, [words_of(label) or label for label in run.labels])
    return _Rows(read.ids, torch.arange(len(run.labels)))


def _best(ways: Sequence[_Way]) -> _Way:
    """The likeliest of those that answer no fewer rows than Quick's own way, which stands first."""
    return max((way for way in ways if way.accuracy >= ways[0].accuracy), key=lambda way: way.certainty)


def _what(way: _Way) -> list[str]:
    return [
        *["labels read by their names"] * way.named,
        *["texts of a label drawn together"] * way.contrasted,
        *["single words counted"] * way.worded,
    ]


def _ways(lesson: "_Lesson", rows: _Rows) -> list[_Way]:
    """Quick's own way first, on frozen features; then with names, and with a base model that has learnt."""
    halves = study.folds(rows.targets, _HALVES)
    frozen, of_names = (lesson.features(some, frozen=True) for some in (rows, lesson.names))
    ways = [
        _best_fit([(frozen, of_names)] * _HALVES, rows, halves, lesson, named=named, contrasted=False)
        for named in (False, True)
    ]
    moved = []
    for half in range(_HALVES):
        lesson.take(_half(half), rows.of((halves != half).nonzero().flatten()))
        if lesson.stopped:
            return ways
        moved.append((lesson.features(rows), lesson.features(lesson.names)))
        lesson.forget()
    named = ways[1].certainty > ways[0].certainty
    return [*ways, _best_fit(moved, rows, halves, lesson, named=named, contrasted=True)]


def _half(number: int) -> str:
    return f"half-{number}"


def _best_fit(
    features: Sequence[tuple[Tensor, Tensor]],
    rows: _Rows,
    halves: Tensor,
    lesson: "_Lesson",
    *,
    named: bool,
    contrasted: bool,
) -> _Way:
    """The likeliest strength, and whether words count with it.

    features: for each half that is held out, of the rows (rows, hidden) and of the names.
    """
    # By strength, and whether single words count: (rows, labels).
    answers: defaultdict[tuple[float, bool], Tensor] = defaultdict(
        lambda: torch.empty(len(rows.ids), len(lesson.names.ids))
    )
    for half, (of_rows, of_names) in enumerate(features):
        asked = halves == half
        known, learned = of_rows[~asked], rows.of((~asked).nonzero().flatten())
        if named:
            known, learned = torch.cat([known, of_names]), learned.and_also(lesson.names)
        words = lesson.words(learned=learned, asked=rows.of(asked.nonzero().flatten()))
        for head in lesson.heads(known, learned.targets, fitting.LOGISTIC.strengths):
            said = study.said(head, {"learned": known, "asked": of_rows[asked]})
            answers[head.strength, False][asked] = said["asked"]
            answers[head.strength, True][asked] = words.fit(said, ["learned"]).added("asked", said["asked"])
    found = [
        _Way(
            named=named,
            contrasted=contrasted,
            worded=worded,
            strength=strength,
            outputs=said,
            certainty=fitting.certainty(said, rows.targets),
            accuracy=float((said.argmax(1) == rows.targets).float().mean()),
        )
        for (strength, worded), said in answers.items()
    ]
    return max(found, key=lambda way: way.certainty)


class _Lesson:
    """An encoder that learns which texts belong together, and can forget it again."""

    def __init__(self, run: Run, network: TextClassifier, names: _Rows) -> None:
        self.names = names
        # Sub-words that were trained on.
        self.tokens = 0
        # The customer has asked for an end before this was whole.
        self.stopped = False
        self._run = run
        self._network = network
        self._base = {name: weight.clone() for name, weight in network.encoder.state_dict().items()}
        # Optimiser steps until the end of what it learns.
        self.done = 0
        networks.freeze_embedding_table(network.encoder)

    def features(self, rows: _Rows, *, frozen: bool = False) -> Tensor:
        """(rows, hidden), as the encoder is at the moment; `frozen` while it is the base model."""
        read = [Texts(rows.ids, 0)]
        return readings.embedded(self._run, self._network, read, frozen=frozen, again=True)[0]

    def heads(self, features: Tensor, targets: Tensor, strengths: Sequence[float]) -> Iterator[fitting.Head]:
        """Heads that learn from these rows."""
        return fitting.logistic(features, targets, strengths, fitting.blank(self._network.head))

    def words(self, **rows: _Rows) -> Words:
        """What learns from rows which single words count, beside a head."""
        ids = {name: some.ids for name, some in rows.items()}
        targets = {name: some.targets for name, some in rows.items()}
        return Words(ids, targets, self._network.words, loss_of=cross_entropy)

    def settle(self, way: _Way, rows: _Rows) -> None:
        """Leave the network with what these rows teach in this way, the encoder as it is."""
        features = self.features(rows, frozen=not way.contrasted)
        (head,) = self.heads(features, rows.targets, (way.strength,))
        self._network.head.load_state_dict({"weight": head.weight, "bias": head.bias})
        self._network.words.forget()
        if way.worded:
            words = self.words(learned=rows).fit(study.said(head, {"learned": features}), ["learned"])
            self._network.load_state_dict(words.weights, strict=False)

    def forget(self) -> None:
        """Be the base model again."""
        self._network.encoder.load_state_dict(self._base)

    def take(self, name: str, rows: _Rows) -> None:
        """Learn from these rows and the names; what an earlier attempt made whole is taken as it is.

        Asked to stop before that is whole, the encoder is the base model again.
        """
        folder = self._folder(name)
        rows = rows.and_also(self.names)
        self.tokens += self._run.settings.epochs * sum(map(len, rows.ids))
        self.done += steps(self._run.settings, len(rows.ids))
        if (folder / COMPLETE).exists():
            self.recall(name)
            return
        self._learn(rows)
        if self.stopped:
            self.forget()
            return
        folder.mkdir(parents=True, exist_ok=True)
        learnt = self._network.encoder.state_dict()
        self._network.encoder.load_state_dict(self._base | between.weights(self._base, learnt, _SHARE))
        save_file(self._network.encoder.state_dict(), folder / _WEIGHTS)
        (folder / COMPLETE).write_text(str(self.done))

    def recall(self, name: str) -> None:
        """Be what was learnt under this name."""
        self._network.encoder.load_state_dict(load_file(self._folder(name) / _WEIGHTS))

    def _folder(self, name: str) -> Path:
        return self._run.folder.stage(f"contrast-{name}")

    def _learn(self, rows: _Rows) -> None:
        run, network, settings = self._run, self._network, self._run.settings
        own = steps(settings, len(rows.ids))
        before = self.done - own
        optimiser, schedule = _optimiser(network, settings, own)
        padding = networks.padding_id(network.encoder)
        chance = torch.Generator().manual_seed(run.recipe.seed)
        torch.manual_seed(run.recipe.seed)
        network.train()
        for step, places in enumerate(islice(_steps(rows.targets, settings.batch_size, chance), own), 1):
            part = rows.of(places)
            embedded = batches.differentiable(network.embed, part.ids, padding, run.machine)
            loss = contrastive_loss(embedded, part.targets.to(run.machine.device))
            if not math.isfinite(loss.item()):
                raise LossIsNotANumber(before + step, settings.learning_rate)
            rate = schedule.get_last_lr()[0]
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.encoder.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
            run.journal.progress(
                before + step, before + own, epoch=step / own, loss=loss.item(), learning_rate=float(rate)
            )
            heed_pause(run.folder)
            if run.folder.stop.exists():
                self.stopped, self.done = True, before + step
                return


def steps(settings: Hyperparameters, rows: int) -> int:
    """Optimiser steps over so many rows."""
    return max(1, rows // settings.batch_size) * settings.epochs


def contrastive_loss(embedded: Tensor, targets: Tensor) -> Tensor:
    """How unlikely each text finds others of its label, among all the others of its step.

    Khosla et al., "Supervised contrastive learning" (2020), the sum outside of the logarithm. embedded:
    (rows, hidden), targets: (rows); rows that are alone with their label are asked nothing.
    """
    directions = normalize(embedded, dim=1)
    itself = torch.eye(len(targets), dtype=torch.bool, device=targets.device)
    likeness = (directions @ directions.T / _TEMPERATURE).masked_fill(itself, float("-inf"))
    same = (targets.unsqueeze(1) == targets) & ~itself
    unlikely = -torch.log_softmax(likeness, dim=1).masked_fill(~same, 0.0).sum(1)
    asked = same.any(1)
    return (unlikely[asked] / same.sum(1)[asked]).sum() / asked.sum().clamp(min=1)


def _steps(targets: Tensor, size: int, chance: torch.Generator) -> Iterator[Tensor]:
    """The places of each step's rows, without end: some labels, and of each as many rows."""
    labels = torch.tensor(sorted(set(targets.tolist())))
    at_once = min(_LABELS_PER_STEP, len(labels), max(1, size // 2))
    each = max(2, size // at_once)
    of = {label: (targets == label).nonzero().flatten() for label in labels.tolist()}
    order: list[int] = []
    left: dict[int, list[int]] = {label: [] for label in of}
    while True:
        if len(order) < at_once:
            order += labels[torch.randperm(len(labels), generator=chance)].tolist()
        chosen, order = order[:at_once], order[at_once:]
        places: list[int] = []
        for label in chosen:
            while len(left[label]) < each:
                own = of[label]
                left[label] += own[torch.randperm(len(own), generator=chance)].tolist()
            places += left[label][:each]
            left[label] = left[label][each:]
        yield torch.tensor(places)


def _optimiser(
    network: TextClassifier, settings: Hyperparameters, own: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
    matrices = {name for name, weight in network.named_parameters() if weight.dim() > 1}
    groups = layers.groups(
        network,
        rate=settings.learning_rate,
        decay=settings.layer_decay,
        weight_decay=settings.weight_decay,
        decayed=matrices,
    )
    optimiser = torch.optim.AdamW(groups, fused=True)
    warmup = max(1, round(settings.warmup_ratio * own))
    return optimiser, torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warmup, (own - step) / max(1, own - warmup))
    )
