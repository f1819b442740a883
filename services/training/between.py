"""Weights on the line between those of Quick and those that fine-tuning came to.

Fine-tuning learns the training rows, and pays for it with some of what the base model knew of other texts.
Part of the way back it has most of the one and more of the other, in one network, which answers as quickly.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor, lerp, nn

from services.training import stages
from services.training.context import Run
from services.training.process.wishes import heed_pause
from services.training.recipe import SHARES_BETWEEN
from services.training.stages import Reached


class Worth(NamedTuple):
    """What the validation rows say of a network."""

    # Of the metric that the task is judged by.
    score: float
    # How likely the network finds them, which tells points apart that the metric, by whole rows, does not.
    likelihood: float


class _Point(NamedTuple):
    share: float
    worth: Worth


def weights(first: Mapping[str, Tensor], last: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """The weights a share of the way from the first to the last; those of `last` alone that have a fraction.

    Wortsman et al., "Robust fine-tuning of zero-shot models" (2022, arXiv 2109.01903).
    """
    return {
        name: lerp(first[name], weight, share) for name, weight in last.items() if weight.is_floating_point()
    }


def choose(
    run: Run, network: nn.Module, tuned: Reached, worth: Callable[[], Worth], *, quick_score: float
) -> Reached:
    """Leave a tuned network at the likeliest point between Quick's weights and its own, or as it is.

    What fine-tuning does not learn is as Quick has it at every point, so its single words as well. A point
    that answers fewer validation rows than Quick counts only where all do; then the network stays as it is.
    `worth` asks the validation rows of the network as it stands. Nothing is kept on the way: a run that is
    broken off here looks at the same points again.

    Raises:
        PauseAsked: the worker asked for a pause.
    """
    quick = stages.weights(run.folder.quick)
    own = {name: weight.detach().cpu().clone() for name, weight in network.state_dict().items()}
    learnt = {name: own[name] for name, weight in network.named_parameters() if weight.requires_grad}

    def at(share: float) -> dict[str, Tensor]:
        return own if share == 1 else quick | weights(quick, learnt, share)

    points: list[_Point] = []
    for share in (1.0, *SHARES_BETWEEN):
        network.load_state_dict(at(share))
        points.append(_Point(share, worth()))
        run.journal.progress(len(points), 1 + len(SHARES_BETWEEN))
        heed_pause(run.folder)

    fair = [point for point in points if point.worth.score >= quick_score]
    best = max(fair, key=lambda point: point.worth.likelihood, default=points[0])
    network.load_state_dict(at(best.share))
    if best.share < 1:
        run.journal.note(
            f"The model's weights lie {best.share:.0%} of the way from Quick's to the fine-tuned ones: there "
            f"the validation rows are likeliest. Their score is {best.worth.score:.1%}; with the fine-tuned "
            f"weights alone it is {points[0].worth.score:.1%}."
        )
    return replace(tuned, score=best.worth.score)
