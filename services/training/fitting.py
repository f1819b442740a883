"""A linear head, fitted on frozen features by multinomial logistic regression."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear

from services.training.journal import Journal

# Inverse regularisation (scikit-learn's C) for features of variance one; each fit begins at the one before.
_STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)


def fit(
    features: Tensor, targets: Tensor, weight: Tensor, bias: Tensor, strength: float, *, steps: int = 100
) -> float:
    """Fit weight and bias in place and return the final loss.

    Minimises mean cross-entropy + |weight|² / (2 · strength · rows) by L-BFGS; on 10,000 rows of 77 classes
    this is five times quicker than scikit-learn's. features: (rows, features), targets: (rows).
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
        value = cross_entropy(linear(features, weight, bias), targets) + penalty
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
) -> float:
    """Fit the head with the regularisation that scores best on validation rows, and return that score.

    score(weight, bias): validation metrics by name, of which `metric` decides, the higher the better.
    Two fits in a row that score no better end the search.
    """
    weight, bias = features.new_zeros(head.weight.shape), features.new_zeros(head.bias.shape)
    best, without_gain = float("-inf"), 0
    for number, strength in enumerate(_STRENGTHS, start=1):
        loss = fit(features, targets, weight, bias, strength)
        metrics = score(weight, bias)
        journal.progress(number, len(_STRENGTHS), loss=loss)
        journal.metric(number, len(_STRENGTHS), **metrics)
        without_gain += 1
        if metrics[metric] > best:
            best, without_gain = metrics[metric], 0
            head.weight.data.copy_(weight)
            head.bias.data.copy_(bias)
        if without_gain == 2:
            break
    return best
