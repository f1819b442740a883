"""A linear head, fitted on frozen features by logistic regression, or by ridge regression on scores."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, linear

from services.training.journal import Journal

# Inverse regularisation (scikit-learn's C) for features of variance one; each fit begins at the one before.
_STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
# Factors on logits, of which `certainty` takes the best.
_SHARPNESS = [2 ** (quarter / 4) for quarter in range(-8, 9)]


class Fitted(NamedTuple):
    """The validation score of the head that was kept, and the strength it was fitted with."""

    score: float
    strength: float


def certainty(logits: Tensor, targets: Tensor) -> float:
    """How much of the truth logits tell when they are as sharp as they should be; 0 is all of it.

    The log-likelihood per row at the best of some temperatures. On a thousand validation rows it tells fits
    apart that accuracy, which moves by whole rows, does not. logits: (rows, classes), targets: (rows).
    """
    return max(-float(cross_entropy(logits * factor, targets)) for factor in _SHARPNESS)


# Penalties of ridge regression (scikit-learn's alpha), from weak to strong; one decomposition serves all.
_PENALTIES = (1.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)

Loss = Callable[[Tensor, Tensor], Tensor]


def one_vs_rest(logits: Tensor, targets: Tensor) -> Tensor:
    """The loss of as many logistic regressions as there are labels, each a mean over rows, added up.

    logits, targets: (rows, labels). As no label shares a weight with another, fitting all together gives what
    fitting each alone would.
    """
    loss: Tensor = binary_cross_entropy_with_logits(logits, targets) * logits.shape[1]
    return loss


def fit(
    features: Tensor,
    targets: Tensor,
    weight: Tensor,
    bias: Tensor,
    strength: float,
    loss_of: Loss = cross_entropy,
    *,
    steps: int = 100,
) -> float:
    """Fit weight and bias in place and return the final loss.

    Minimises mean loss + |weight|² / (2 · strength · rows) by L-BFGS; on 10,000 rows of 77 classes this is
    five times quicker than scikit-learn's. features: (rows, features), targets: as `loss_of` takes them.
    """
    weight.requires_grad_()
    bias.requires_grad_()
    # Ten past gradients and a change of 1e-5 gave the accuracy of a hundred and 1e-6 in half the time.
    optimiser = torch.optim.LBFGS(
        [weight, bias],
        max_iter=steps,
        history_size=10,
        tolerance_grad=1e-5,
        tolerance_change=1e-5,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        penalty = weight.square().sum() / (2 * strength * len(features))
        value = loss_of(linear(features, weight, bias), targets) + penalty
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    final = float(loss().detach())
    weight.requires_grad_(False)
    bias.requires_grad_(False)
    return final


def fit_head(
    head: nn.Linear,
    features: Tensor,
    targets: Tensor,
    score: Callable[[Tensor, Tensor], dict[str, float]],
    metric: str,
    journal: Journal,
    loss_of: Loss = cross_entropy,
    rank: Callable[[Tensor, Tensor], float] | None = None,
) -> Fitted:
    """Fit the head with the regularisation that scores best on validation rows.

    score(weight, bias): validation metrics by name, of which `metric` decides, the higher the better; or
    `rank` decides, where there is one. Two fits in a row that do no better end the search.
    """
    weight, bias = features.new_zeros(head.weight.shape), features.new_zeros(head.bias.shape)
    best, kept, without_gain = float("-inf"), Fitted(0.0, _STRENGTHS[0]), 0
    for number, strength in enumerate(_STRENGTHS, start=1):
        loss = fit(features, targets, weight, bias, strength, loss_of)
        metrics = score(weight, bias)
        journal.progress(number, len(_STRENGTHS), loss=loss)
        journal.metric(number, len(_STRENGTHS), **metrics)
        without_gain += 1
        worth = rank(weight, bias) if rank else metrics[metric]
        if worth > best:
            best, kept, without_gain = worth, Fitted(metrics[metric], strength), 0
            head.weight.data.copy_(weight)
            head.bias.data.copy_(bias)
        if without_gain == 2:
            break
    return kept


def fit_scores(
    head: nn.Linear,
    features: Tensor,
    targets: Tensor,
    score: Callable[[Tensor, Tensor], dict[str, float]],
    metric: str,
    journal: Journal,
) -> float:
    """Fit a head of one output by ridge regression, with the penalty that scores best on validation rows.

    Minimises |features · weight + bias - targets|² + penalty · |weight|², in closed form, in float64.
    features: (rows, features), targets: (rows); score and metric are as for `fit_head`.
    """
    centre, mean = features.double().mean(0), targets.double().mean()
    centred = features.double() - centre
    values, vectors = torch.linalg.eigh(centred.T @ centred)
    projected = vectors.T @ (centred.T @ (targets.double() - mean))
    best = float("-inf")
    for number, penalty in enumerate(_PENALTIES, start=1):
        weight = vectors @ (projected / (values.clamp(min=0) + penalty))
        bias = mean - centre @ weight
        row, constant = weight.float().unsqueeze(0), bias.float().unsqueeze(0)
        metrics = score(row, constant)
        journal.metric(number, len(_PENALTIES), **metrics)
        if metrics[metric] > best:
            best = metrics[metric]
            head.weight.data.copy_(row)
            head.bias.data.copy_(constant)
    journal.progress(len(_PENALTIES), len(_PENALTIES))
    return best
