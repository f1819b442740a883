"""The course that every task takes: Quick, published at once; training on from it; the better one, judged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from torch import nn

from services.training import between, publishing, stages
from services.training.between import Worth
from services.training.context import Run
from services.training.failures import Diverged
from services.training.process.events import Phase
from services.training.process.wishes import heed_pause
from services.training.recipe import Preset
from services.training.reporting.study import Study
from services.training.stages import Outputs, Quick, Reached
from services.training.trained import Trained

# The splits whose every answer is kept.
CHECKED = ("validation", "test")

NetworkT = TypeVar("NetworkT", bound=nn.Module)
DataT = TypeVar("DataT")


@dataclass(frozen=True)
class Outcome:
    """A model that is to be judged; the network has its weights."""

    reached: Reached
    # Of the checked splits; of the validation rows by a model that has not learnt from them.
    outputs: Outputs
    study: Study | None = None
    # Those of the Quick model that training went on from.
    quick: Outputs | None = None


def learn(
    run: Run,
    network: NetworkT,
    data: DataT,
    *,
    quick: Callable[[Run, NetworkT, DataT], Quick] | None,
    finetune: Callable[[Run, NetworkT, DataT], Reached],
    outputs: Callable[[Run, NetworkT, DataT], Outputs],
    judge: Callable[[Run, NetworkT, DataT, Outcome], Trained],
    worth: Callable[[Run, NetworkT, DataT], Worth] | None = None,
) -> Trained:
    """Have a network learn, and judge what it has learnt; `quick` is None where a recipe goes without.

    Best ends with the better of its two stages by validation score, Few-shot with what rows that were held
    out prefer, Custom with what it was asked for. Where `worth` is given, which asks the validation rows,
    Best's second stage ends between Quick's weights and the tuned ones. A customer who has asked to stop
    before it began gets Quick without more.

    Raises:
        Diverged: training that was not Best's went wrong before there was anything to keep.
        PauseAsked: the worker asked for a pause.
    """
    if quick is None:
        reached = finetune(run, network, data)
        with run.journal.phase(Phase.evaluating):
            return judge(run, network, data, Outcome(reached, outputs(run, network, data)))

    def judged(outcome: Outcome) -> Trained:
        trained = judge(run, network, data, outcome)
        if outcome.study is None:
            return trained
        return replace(trained, evidence=trained.evidence.with_study(outcome.study))

    if run.folder.has_quick():
        first = stages.restore(network, run.folder.quick)
    else:
        first = quick(run, network, data)
        trained_on = stages.swap(network, first.refitted)
        alone = run.recipe.preset is Preset.quick
        with run.journal.phase(Phase.evaluating if alone else Phase.publishing):
            first = replace(first, outputs=first.outputs or outputs(run, network, data))
            trained = judged(Outcome(first.reached, first.outputs, first.study))
            if alone:
                return trained
            publishing.publish_first(run, trained)
        stages.swap(network, trained_on)
        stages.keep(network, first, run.folder.quick)

    full = _go_on(run, network, data, first, finetune)
    with run.journal.phase(Phase.evaluating):
        if worth and run.recipe.preset is Preset.best and not full.worse:
            asked = partial(worth, run, network, data)
            full = between.choose(run, network, full, asked, quick_score=first.reached.score)
        reached, better = _better(run, network, first, full)
        found = outputs(run, network, data) if better else first.outputs
        return judged(Outcome(reached, found, first.study, first.outputs))


def _go_on(
    run: Run,
    network: NetworkT,
    data: DataT,
    quick: Quick,
    finetune: Callable[[Run, NetworkT, DataT], Reached],
) -> Reached:
    """What training on came to; where there was none, what Quick is, as the one to publish."""
    # Where training had begun, before this run was broken off, it comes to its best so far.
    if run.folder.stop.exists() and run.folder.last_checkpoint("full") is None:
        stopped_at = quick.steps if quick.reached.stopped_at is None else quick.reached.stopped_at
        return replace(quick.reached, stopped_at=stopped_at, worse=True)
    heed_pause(run.folder)

    try:
        full = finetune(run, network, data)
    except Diverged as diverged:
        if run.recipe.preset is Preset.custom:
            raise
        run.journal.note(f"{diverged.message} The Quick model is published.", step=diverged.step)
        return replace(quick.reached, diverged_at=diverged.step, worse=True)
    return replace(full, tokens=quick.reached.tokens + full.tokens)


def _better(run: Run, network: nn.Module, quick: Quick, full: Reached) -> tuple[Reached, bool]:
    """Leave the network at the better of the two; what it reached, and whether that is not Quick."""
    worse = run.recipe.preset is Preset.best and full.score < quick.reached.score
    if worse:
        run.journal.note(
            f"Fine-tuning reached {full.score:.1%} on the validation rows and Quick "
            f"{quick.reached.score:.1%}: the Quick model is published."
        )
    if worse or full.worse:
        stages.restore(network, run.folder.quick)
        stages.swap(network, quick.refitted)
        return replace(full, score=quick.reached.score, refitted=quick.reached.refitted), False
    return full, True
