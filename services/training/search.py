"""A search for better settings within a budget: successive halving (Li et al. 2020) through Optuna.

Each trial is a go of the optimiser from the same weights, with settings of its own; the first has those of
the recipe. After each evaluation a trial that is not among the better half of those that came so far is
ended. The best trial's weights are what the search comes to.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from time import monotonic
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.trial import TrialState
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.trainer import TRAINER_STATE_NAME

from services.training.context import Run
from services.training.failures import Diverged
from services.training.finetune import Row, Stage, finetune
from services.training.process.events import Phase
from services.training.process.folder import COMPLETE
from services.training.process.journal import Journal
from services.training.recipe import Hyperparameters
from services.training.stages import Reached

# How far the learning rate may lie from the recipe's, both ways, and the most trials of a search.
_RATES, MOST_TRIALS = 5.0, 40
_HALVED = 2
_WEIGHTS = "best.safetensors"
_ENDED = "ended"

How = Literal["running", "whole", "ended early", "diverged"]


@dataclass
class Tried:
    """A trial: its settings, its validation scores after each evaluation, and what became of it."""

    settings: dict[str, Any]
    how: How = "running"
    # Of the last weights that were kept, for a trial that went to its end.
    scores: list[float] = field(default_factory=list)
    steps: int = 0
    epochs: float = 0.0
    tokens: int = 0

    @property
    def best(self) -> float:
        """The best validation score; 0 before the first."""
        return max(self.scores, default=0.0)


def search(
    run: Run,
    network: nn.Module,
    rows: Sequence[Row],
    collate: Callable[[list[Row]], dict[str, Tensor]],
    score: Callable[[], dict[str, float]],
    *,
    metric: str,
) -> Reached:
    """Train with settings after settings until the recipe's seconds are over; arguments as for `finetune`.

    The network is left at the best trial's best. A run that is resumed keeps the trials that are over and the
    seconds that were spent, and goes on with the trial that was under way.

    Raises:
        Diverged: every trial did.
        PauseAsked: the worker asked for a pause.
    """
    book = _Book(run, metric)
    begin = {name: weight.clone() for name, weight in network.state_dict().items()}
    diverged: Diverged | None = None
    with run.journal.phase(Phase.training):
        for tried in book.told:
            book.tell(tried)
        while (number := book.next()) is not None:
            network.load_state_dict(begin)
            try:
                _try(run, network, rows, collate, score, book, number)
            except Diverged as trouble:
                diverged = trouble
                book.over(number, "diverged")
    weights = book.folder / _WEIGHTS
    if not weights.exists():
        assert diverged is not None
        raise diverged
    network.load_state_dict(load_file(weights))
    best = max((one for one in book.tried if one.how == "whole"), key=lambda one: one.best)
    run.journal.note(f"Of {len(book.tried)} settings tried the best reached {best.best:.1%}: {_words(best)}.")
    return Reached(
        best.best,
        tokens=sum(one.tokens for one in book.tried),
        stopped_at=book.steps if run.folder.stop.exists() else None,
        settings=Hyperparameters.model_validate({**run.settings.model_dump(), **best.settings}),
    )


def _try(
    run: Run,
    network: nn.Module,
    rows: Sequence[Row],
    collate: Callable[[list[Row]], dict[str, Tensor]],
    score: Callable[[], dict[str, float]],
    book: "_Book",
    number: int,
) -> None:
    tried = book.tried[number]
    name = f"search-{number}"
    settings = Hyperparameters.model_validate({**run.settings.model_dump(), **tried.settings})
    checkpoint = run.folder.last_checkpoint(name)
    trial = book.ask(number)
    # What came after the checkpoint is told again.
    del tried.scores[_evaluations(checkpoint, book.metric) if checkpoint else 0 :]
    for rung, value in enumerate(tried.scores, 1):
        trial.report(value, rung)

    def scored() -> dict[str, float]:
        began = monotonic()
        metrics = score()
        book.evaluation = max(book.evaluation, monotonic() - began)
        tried.scores.append(metrics[book.metric])
        trial.report(tried.scores[-1], len(tried.scores))
        book.save()
        if trial.should_prune() and not book.spent_out():
            raise optuna.TrialPruned
        return metrics

    stage = Stage(name, settings, steps_before=book.steps)
    told = replace(run, journal=_Narrator(run.journal, book))
    try:
        reached = finetune(
            told, network, rows, collate, scored, metric=book.metric, stage=stage, until=book.spent_out
        )
    except optuna.TrialPruned:
        tried.tokens = _tokens(rows, settings, len(tried.scores))
        book.over(number, "ended early")
        return
    tried.tokens = reached.tokens
    book.keep(network, tried)
    book.over(number, "whole")


class _Book:
    """What was tried and how long it took, kept on disk."""

    def __init__(self, run: Run, metric: str) -> None:
        self.metric = metric
        self.folder = run.folder.checkpoints / "search"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tried: list[Tried] = []
        # Seconds of the longest evaluation, which a trial that is ended still has to do.
        self.evaluation = 0.0
        self._run = run
        self._file = self.folder / "trials.json"
        self._before = 0.0
        if self._file.exists():
            kept = json.loads(self._file.read_text("utf-8"))
            self.tried = [Tried(**one) for one in kept["tried"]]
            self._before = kept["seconds"]
            for number, one in enumerate(self.tried):
                if one.how != "running":
                    self._clear(number)
        self._began = monotonic()
        self._study = self._restored()

    @property
    def told(self) -> list[Tried]:
        """The trials that are over."""
        return [one for one in self.tried if one.how != "running"]

    @property
    def steps(self) -> int:
        """Optimiser steps of the trials that are over."""
        return sum(one.steps for one in self.told)

    @property
    def seconds(self) -> float:
        """Spent so far, in all attempts at the job."""
        return self._before + monotonic() - self._began

    @property
    def budget(self) -> int:
        """Seconds that may be spent."""
        assert self._run.recipe.search_seconds is not None
        return self._run.recipe.search_seconds

    def spent_out(self) -> bool:
        """Is there time for no more than another evaluation?"""
        return self.seconds + self.evaluation >= self.budget

    def next(self) -> int | None:
        """The number of the trial to go on with; None where the search is over."""
        if self.tried and self.tried[-1].how == "running":
            return len(self.tried) - 1
        over = self.spent_out() or self._run.folder.stop.exists() or len(self.tried) == MOST_TRIALS
        if self.tried and over:
            return None
        own = self._run.settings.model_dump()
        space = _space(self._run.settings)
        if not self.tried:
            self._study.enqueue_trial({name: own[name] for name in space})
        trial = self._study.ask(space)
        self.tried.append(Tried(dict(trial.params)))
        self.save()
        return len(self.tried) - 1

    def reached(self, step: int, epoch: float) -> float:
        """The trial under way is so far, by steps of all trials and its own epoch; gives those of all."""
        tried, before = self.tried[-1], self.told
        tried.steps, tried.epochs = step - self.steps, epoch
        return round(sum(one.epochs for one in before) + epoch, 4)

    def ask(self, number: int) -> optuna.Trial:
        """The trial of Optuna's that this one is."""
        return optuna.Trial(self._study, number)

    def keep(self, network: nn.Module, tried: Tried) -> None:
        """Put the weights aside, if they are the best so far."""
        if all(tried.best > one.best for one in self.told if one.how == "whole"):
            arriving = self.folder / "arriving.safetensors"
            save_file({name: one.contiguous() for name, one in network.state_dict().items()}, arriving)
            arriving.replace(self.folder / _WEIGHTS)

    def over(self, number: int, how: How) -> None:
        """A trial is over."""
        tried, stage = self.tried[number], self._run.folder.stage(f"search-{number}")
        tried.steps = max(tried.steps, 1)
        before = self.steps
        tried.how = how
        ended = stage / _ENDED
        ended.mkdir(parents=True, exist_ok=True)
        (ended / COMPLETE).write_text(str(before + tried.steps))
        state = {"whole": TrialState.COMPLETE, "ended early": TrialState.PRUNED, "diverged": TrialState.FAIL}
        self._study.tell(number, tried.best if how == "whole" else None, state[how])
        self.save()
        self.tell(tried)
        self._clear(number)

    def _clear(self, number: int) -> None:
        """Of a trial that is over only the count of its steps stays on disk."""
        for entry in self._run.folder.stage(f"search-{number}").iterdir():
            if entry.name != _ENDED:
                shutil.rmtree(entry)

    def tell(self, tried: Tried) -> None:
        """Tell the customer of a trial that is over."""
        place = self.tried.index(tried)
        steps = sum(one.steps for one in self.tried[: place + 1])
        told = {"trial": place + 1.0, "evaluations": float(len(tried.scores)), self.metric: tried.best}
        self._run.journal.trial(steps, tried.how, **told, **tried.settings)

    def save(self) -> None:
        """Keep what there is, whole or not at all."""
        arriving = self._file.with_suffix(".part")
        kept = {"tried": [asdict(one) for one in self.tried], "seconds": self.seconds}
        arriving.write_text(json.dumps(kept), "utf-8")
        arriving.replace(self._file)

    def _restored(self) -> optuna.Study:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            direction="maximize",
            sampler=TPESampler(seed=self._run.recipe.seed + len(self.tried)),
            pruner=SuccessiveHalvingPruner(min_resource=1, reduction_factor=_HALVED),
        )
        for one in self.tried:
            study.enqueue_trial(one.settings)
            trial = study.ask(_space(self._run.settings))
            for rung, value in enumerate(one.scores if one.how != "running" else [], 1):
                trial.report(value, rung)
                trial.should_prune()
            if one.how == "whole":
                study.tell(trial, one.best)
            elif one.how != "running":
                state = TrialState.PRUNED if one.how == "ended early" else TrialState.FAIL
                study.tell(trial, state=state)
        return study


class _Narrator(Journal):
    """Tells of a trial as of a part of the search, which is as far as its seconds are."""

    def __init__(self, journal: Journal, book: _Book) -> None:
        self._journal = journal
        self._book = book
        self.seconds = journal.seconds

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:  # noqa: ARG002
        """All trials are in one phase."""
        yield

    def progress(
        self, step: int, steps: int, *, epoch: float = 0.0, eta_seconds: float | None = None, **values: float
    ) -> None:
        """Steps count on from trial to trial; how many there will be follows from the seconds."""
        book = self._book
        epoch = book.reached(step, epoch)
        book.save()
        done = min(1.0, book.seconds / book.budget)
        steps, eta_seconds = max(step, round(step / max(done, 1e-3))), max(0.0, book.budget - book.seconds)
        self._journal.progress(step, steps, epoch=epoch, eta_seconds=eta_seconds, **values)

    def metric(self, step: int, steps: int, *, epoch: float = 0.0, **values: float) -> None:
        """Epochs count on, too."""
        self._journal.metric(step, max(step, steps), epoch=self._book.reached(step, epoch), **values)

    def note(self, message: str, **rest: Any) -> None:
        """As it is."""
        self._journal.note(message, **rest)


def _space(own: Hyperparameters) -> dict[str, BaseDistribution]:
    rate = own.learning_rate
    rows = sorted({max(1, own.batch_size // 2), own.batch_size, min(512, 2 * own.batch_size)})
    return {
        "learning_rate": FloatDistribution(rate / _RATES, min(0.1, rate * _RATES), log=True),
        "batch_size": CategoricalDistribution(rows),
        "layer_decay": CategoricalDistribution(sorted({0.7, 0.8, 0.9, 1.0, own.layer_decay})),
    }


def _evaluations(checkpoint: Any, metric: str) -> int:
    history = json.loads((checkpoint / TRAINER_STATE_NAME).read_text("utf-8"))["log_history"]
    return sum(f"eval_{metric}" in entry for entry in history)


def _tokens(rows: Sequence[Row], settings: Hyperparameters, evaluations: int) -> int:
    """Of a trial that was ended after so many evaluations, of which an epoch has one."""
    return min(evaluations, settings.epochs) * sum(len(row["input_ids"]) for row in rows)


def _words(tried: Tried) -> str:
    told = {name.replace("_", " "): value for name, value in tried.settings.items()}
    return ", ".join(f"{name} {value:.3g}" for name, value in told.items())
